/**
 * Every limit of the product: unit last in the name, with its reason. Those that a request or an operator's setting
 * can meet are tested at their boundary; pauses, intervals and deadlines inside the machinery are not all.
 * "Cloudflare" means that the number is the platform's own, so that what deploys there deploys here.
 */

/** Request body of an upload after decompression. Cloudflare caps a Worker at 64 MiB; 4 MiB on top for metadata and part headers. */
export const UPLOAD_BODY_BYTES_MAX = 68 * 1024 * 1024;
/** Unwanted bytes read so that a client that is still sending gets its refusal: enough for twice the largest upload. */
export const DISCARDED_BODY_BYTES_MAX = 2 * UPLOAD_BODY_BYTES_MAX;
/** How long the answer to a client that goes on sending is held, in milliseconds: one that stalls has to hear it too. */
export const DISCARDED_BODY_MS_MAX = 10_000;
/** Sum of a version's module bodies. Cloudflare, and workerd's own cap for a loaded Worker. */
export const VERSION_MODULES_BYTES_MAX = 64 * 1024 * 1024;
/** Inflated bytes per compressed byte, counted after the first MiB: real source compresses 3 to 20 times. */
export const UPLOAD_INFLATION_RATIO_MAX = 200;
/** Parts of an upload: one metadata part and up to 999 modules. */
export const UPLOAD_PARTS_MAX = 1_000;
/** Headers of one multipart part; a module name is at most 255 characters. */
export const UPLOAD_PART_HEADER_BYTES_MAX = 8 * 1024;
/** The `metadata` part: bindings, flags, annotations. */
export const UPLOAD_METADATA_BYTES_MAX = 1024 * 1024;
/** JSON bodies of all other calls. */
export const JSON_BODY_BYTES_MAX = 1024 * 1024;
/** Objects and lists inside one another in any JSON that a client sends: deeper ones would exhaust the stack of what walks them. */
export const JSON_DEPTH_MAX = 64;

/** Module name, in characters: also a key in object storage. */
export const MODULE_NAME_CHARS_MAX = 255;
/** Bindings of one version. Cloudflare allows 128 variables on the paid plan and as many other bindings. */
export const BINDINGS_MAX = 512;
/** Binding name, in characters. */
export const BINDING_NAME_CHARS_MAX = 128;
/** One text variable, JSON variable or secret, in UTF-8 bytes. Cloudflare. */
export const BINDING_VALUE_BYTES_MAX = 5 * 1024;
/** Entries of `keep_bindings`: more than there are binding types. */
export const KEEP_BINDINGS_MAX = 64;
/** Compatibility flags of one version; the runtime knows some two hundred. */
export const COMPATIBILITY_FLAGS_MAX = 256;
/** Compatibility flag, in characters. */
export const COMPATIBILITY_FLAG_CHARS_MAX = 128;
/** Further versioned settings (limits, placement, …), serialised, in UTF-8 bytes: they are copied into each version's row. */
export const SETTINGS_BYTES_MAX = 64 * 1024;
/** A version's whole environment, serialised. workerd's own cap for a loaded Worker. */
export const VERSION_ENV_BYTES_MAX = 1024 * 1024;

/** Message of a version or deployment, in UTF-8 bytes; longer ones are cut with a notice. Cloudflare. */
export const MESSAGE_BYTES_MAX = 1_000;
/** Tag of a version, in UTF-8 bytes; longer ones are refused, since a cut tag would name something else. Cloudflare. */
export const TAG_BYTES_MAX = 100;
/** Annotations besides message, tag and alias: what a build system says about itself. */
export const OTHER_ANNOTATIONS_MAX = 32;
/** Key of such an annotation, in characters. */
export const OTHER_ANNOTATION_KEY_CHARS_MAX = 128;
/** Value of such an annotation, in UTF-8 bytes. */
export const OTHER_ANNOTATION_BYTES_MAX = 1_000;
/** `<alias>-<worker>` has to fit in one DNS label. Cloudflare. */
export const PREVIEW_LABEL_CHARS_MAX = 63;

/** Versions of one deployment unless the operator raises it. Cloudflare. */
export const DEPLOYMENT_VERSIONS_DEFAULT_MAX = 2;
/** The most an operator may raise it to: the layout is searched linearly on every request. */
export const DEPLOYMENT_VERSIONS_HARD_MAX = 20;
/** Percentage points by which shares may miss 100. wrangler shares the rest out unrounded and allows this much. */
export const PERCENTAGE_SUM_TOLERANCE = 1e-3;
/** Deployments on a page unless asked otherwise: wrangler prints all it gets and calls it "the 10 most recent". */
export const DEPLOYMENTS_PAGE_DEFAULT = 10;
/** Versions on a page unless asked otherwise. Cloudflare. */
export const VERSIONS_PAGE_DEFAULT = 25;
/** Versions in the answer to `?deployable=true`, which has no pages. Cloudflare lists its 100 most recent. */
export const DEPLOYABLE_VERSIONS_MAX = 100;
/** The same where a limit is set: all of them, but never an answer without bound. */
export const DEPLOYABLE_LIST_MAX = 1_000;
/** The largest limit that can be set on deployable versions: above it a limit means nothing. */
export const DEPLOYABLE_VERSIONS_HARD_MAX = 1_000_000;
/** How often a rollback chooses anew, because somebody else deployed while it was on its way to the lock. */
export const ROLLBACK_CHOICES_MAX = 4;
/** Versions that are looked at in one question when a rollback chooses: nearly always the second one is it. */
export const ROLLBACK_CANDIDATES_PAGE = 20;
/** Versions of the same tag that a refusal names. */
export const TAGGED_TOLD_MAX = 10;
/**
 * How often a change to the latest version begins anew, because another version came in between. Each loser had a winner.
 * Together longer than EDIT_SETTLE_MS: whoever waits for a deployment that never comes is told so, not to try again.
 */
export const EDIT_ATTEMPTS_MAX = 128;
/** Between two such attempts, in milliseconds. */
export const EDIT_PAUSE_MS = 50;
/** A version made by a changed secret is being deployed for at most so long after it was made, in milliseconds; then its deployment was refused. */
export const EDIT_SETTLE_MS = 2_000;
/** Versions whose keys are wrapped anew in one call: some tens of milliseconds. */
export const REWRAP_BATCH_VERSIONS = 100;
/** Workers, zones and domains on a page unless asked otherwise. Cloudflare's usual page. */
export const PAGE_ITEMS_DEFAULT = 20;
/** Workers in the answer to `GET …/workers/scripts`, which clients read as one page. */
export const SCRIPTS_LIST_MAX = 1_000;
/** The largest page anyone may ask for. */
export const PAGE_ITEMS_MAX = 100;

/** API token as a client sends it, in characters: more is hashed for nobody. */
export const TOKEN_CHARS_MAX = 1_024;
/** Id of a version, deployment, zone … as a client sends it, in characters: all are shorter, and errors repeat it. */
export const ID_CHARS_MAX = 64;

/** Changes waiting for one lock; more are told to come back, so that nobody waits unboundedly. */
export const LOCK_QUEUE_MAX = 8;
/** The longest a change waits for its turn before it is told to come back, in milliseconds. */
export const LOCK_WAIT_MS_MAX = 15_000;
/** What a caller who must come back is told to wait, in seconds. */
export const LOCK_RETRY_AFTER_SECONDS = 1;
/** Idempotency keys, in characters. */
export const IDEMPOTENCY_KEY_CHARS_MAX = 255;
/** How long the result of a keyed call is kept, in milliseconds: a CI job retried the next day still finds it. */
export const IDEMPOTENCY_KEEP_MS = 48 * 60 * 60 * 1000;

/** Routes of one zone: ten times Cloudflare's; the whole table is held in every gateway's memory. */
export const ROUTES_PER_ZONE_MAX = 10_000;
/** Routes of one call: a change is one row of at most 2 MB in the lock's storage. Cloudflare's limit per zone. */
export const ROUTES_PER_CALL_MAX = 1_000;
/** Custom domains of one call: far more than one Worker has. */
export const DOMAINS_PER_CALL_MAX = 1_000;
/** Host name, in characters. DNS. */
export const HOSTNAME_CHARS_MAX = 253;
/** Route pattern, in characters. */
export const ROUTE_PATTERN_CHARS_MAX = 1_024;

/** `Cloudflare-Workers-Version-Overrides`, in characters. */
export const OVERRIDE_HEADER_CHARS_MAX = 1_024;
/** Entries of that dictionary. */
export const OVERRIDE_ENTRIES_MAX = 16;
/** `Cloudflare-Workers-Version-Key`, in characters; the rest is ignored. */
export const VERSION_KEY_CHARS_MAX = 256;

/** Tries of one question to the control plane: an object that moved or restarted answers the next one. */
export const CONTROL_PLANE_TRIES_MAX = 3;
/** Wait before the second such try, doubled for each later one, in milliseconds. */
export const CONTROL_PLANE_RETRY_MS = 20;
/** What a visitor is told to wait while the control plane cannot be asked, in seconds. */
export const GATEWAY_RETRY_AFTER_SECONDS = 1;
/** Breakers that one lock keeps for the current deployment: each has cost processes; without an end they would outgrow its one row. */
export const OPEN_BREAKERS_MAX = 1_000;
/** What a visitor of a stopped version is told to wait, in seconds: somebody has to roll back first. */
export const STOPPED_RETRY_AFTER_SECONDS = 30;
/** How long a gateway keeps the host's word that a version was stopped, in milliseconds, unless a lease answer confirms it: answers asked for before may be under way for `ASK_MS_MAX`. */
export const STOP_KEEP_MS = 5_000;
/** The longest a version may take to start at its upload check, in milliseconds. Cloudflare allows 1 s of CPU; this is wall clock on a machine that may be busy. */
export const VERSION_START_MS_MAX = 5_000;
/** Versions kept loaded by one gateway: about 2 MB each. */
export const LOADED_VERSIONS_MAX = 1_000;
/** Tries to load a version for one request that can be sent again. */
export const VERSION_LOAD_TRIES_MAX = 3;
/** How long a version that failed to start is not tried again, in milliseconds: each try costs a slot in the runtime. */
export const VERSION_FAILURE_KEEP_MS = 5_000;
/** How long a version outside the current deployment stays loaded after its last answer, in milliseconds: a rollback to it finds it warm. */
export const RETIRED_VERSION_KEEP_MS = 60_000;
/** How long a version of the current deployment stays loaded with no request at all, in milliseconds: loading it again takes some 10 ms, its 2 MB may be needed elsewhere. */
export const VERSION_IDLE_MS = 30 * 60_000;
/** The most often a gateway looks for versions to unload, in milliseconds. */
export const EVICTION_INTERVAL_MS = 5_000;
/** Workers that one gateway's metrics tell apart: those of the rest are counted together, so that a report stays small. */
export const METRICS_WORKERS_MAX = 200;
/** Calls in flight from one Worker to another over service bindings: a loop of bindings ends here, and nothing else does. */
export const SERVICE_CALLS_IN_FLIGHT_MAX = 1_000;

/** Between two health probes of the host, in milliseconds. */
export const HEALTH_INTERVAL_MS = 2_000;
/** The longest one health probe may take, in milliseconds. Unloaded it takes under 10; on a machine whose cores all are taken, a second. */
export const HEALTH_TIMEOUT_MS = 5_000;
/** How long the control process may take to answer `/healthz` for somebody else, in milliseconds. */
export const HEALTH_ANSWER_MS_MAX = 1_000;
/** Probes missed in a row before the runtime counts as wedged: one or two may be a long garbage collection. */
export const HEALTH_MISSES_MAX = 3;
/** How long a started or restarted runtime may take to answer its first probe, in milliseconds. */
export const RUNTIME_START_MS_MAX = 15_000;
/** How long a gateway process may take to answer for the first time, in milliseconds. Unloaded it takes about 100. */
export const GATEWAY_START_MS_MAX = 10_000;
/** The longest pause before a gateway that does not start is started again, in milliseconds. */
export const GATEWAY_RESTART_MS_MAX = 5_000;
/** Tries to bring a lost runtime back before the host gives up and exits. */
export const RUNTIME_START_TRIES_MAX = 5;
/** How long requests in flight may go on when their process is to end, in milliseconds: most are done long before. */
export const DRAIN_MS_DEFAULT = 10_000;
/** The longest that an operator may set for that, in milliseconds: an hour, for downloads. */
export const DRAIN_MS_MAX = 3_600_000;
/** Gateway processes of one host: more than there are cores only costs memory, about 70 MB each. */
export const GATEWAYS_MAX = 64;
/**
 * CPU time for which deployed code may keep its process from anything else, in milliseconds. Every other request of
 * that process waits meanwhile, and what ends it has to be done within a second.
 */
export const BLOCK_MS_DEFAULT = 500;
/** Below, in milliseconds, a long garbage collection or the start of a large version would be taken for a loop. */
export const BLOCK_MS_MIN = 100;
/** Cloudflare's default limit of CPU time for one request, in milliseconds. */
export const BLOCK_MS_MAX = 30_000;
/** From a request's arrival to the head of its answer, in milliseconds: as long as Cloudflare waits for an origin. */
export const WALL_MS_DEFAULT = 100_000;
/** In milliseconds: a request that is held while a process is replaced needs this long. */
export const WALL_MS_MIN = 1_000;
/** In milliseconds: an hour. */
export const WALL_MS_MAX = 3_600_000;
/** Memory at which a gateway process is replaced, in MiB: room for some two hundred loaded versions. */
export const GATEWAY_MEMORY_MB_DEFAULT = 512;
/** In MiB: a gateway with one version needs about 70. */
export const GATEWAY_MEMORY_MB_MIN = 128;
/** In MiB: no machine has more. */
export const GATEWAY_MEMORY_MB_MAX = 1_048_576;
/** How long the processes of a killed host may take to end, and its port to be free again, in milliseconds. */
export const ORPHAN_MS_MAX = 3_000;
/** A preset root token, in characters: shorter ones can be guessed. */
export const ROOT_TOKEN_CHARS_MIN = 8;
/** A preset root token, in characters: it travels in a header. */
export const ROOT_TOKEN_CHARS_MAX = 256;
/** One line of a Worker's console in the host's log, in characters; the rest is cut. */
export const LOG_LINE_CHARS_MAX = 4_000;
/** What one gateway's output may add to the host's log in the long run, in bytes a second: some 3 GB a day. */
export const GATEWAY_LOG_BYTES_PER_SECOND = 32_768;
/** What it may add at once, in bytes: some thousand lines. */
export const GATEWAY_LOG_BURST_BYTES = 1_048_576;
/** One line of a gateway's output as the runtime wraps it, in bytes; the rest is not kept in memory. */
export const GATEWAY_LOG_LINE_BYTES_MAX = 65_536;
/** How often the log says that lines of one gateway were left out, in milliseconds. */
export const SUPPRESSED_NOTICE_MS = 10_000;
/** How long a process may take to tell what it has counted, in milliseconds: who is wedged is left out. */
export const METRICS_ASK_MS_MAX = 500;
/** How often processes are asked for what they have counted, in milliseconds: a killed one takes no more than that along. */
export const METRICS_INTERVAL_MS = 5_000;

/** Life of a lease on Cloudflare, in milliseconds: a rollback is acknowledged about 1.2 s after it is asked for. */
export const LEASE_MS_DEFAULT = 1_000;
/** Life of a lease on one machine, in milliseconds: the lock is a fraction of a millisecond away, so asking it five times a second costs nothing, and a rollback is acknowledged in a fifth of one. */
export const LEASE_MS_ONE_MACHINE = 200;
/** Shortest lease, in milliseconds: below, most requests ask the lock all the same. */
export const LEASE_MS_MIN = 10;
/** Longest lease, in milliseconds: nobody should wait longer than this for a rollback. */
export const LEASE_MS_MAX = 10_000;
/** Life of a lease while someone is about to roll back, in milliseconds. */
export const ARMED_LEASE_MS = 200;
/** Life of a lease while changes wait for their turn, in milliseconds: each of them waits for a drain. */
export const QUEUED_LEASE_MS = 100;
/** How long arming lasts, in milliseconds: as long as somebody takes to read a dialog. */
export const ARMED_MS = 60_000;
/** Authority terms are at least this many leases long, so that renewing them is rare. */
export const AUTHORITY_LEASES_MIN = 2;
/** How far clocks may drift on Cloudflare, in thousandths: chrony slews by up to 83, the rest is margin. */
export const DRIFT_PERMILLE_DEFAULT = 100;
/** Above this the arithmetic of drift makes waits useless. */
export const DRIFT_PERMILLE_MAX = 500;
/** Added to every drain, in milliseconds: rounding on both sides, and the granularity of clocks. */
export const LEASE_MARGIN_MS = 3;
/** How far two machines' wall clocks may differ on Cloudflare, in milliseconds, before a new instance trusts a recorded horizon to be past. */
export const LEASE_SKEW_MS_DEFAULT = 60_000;
/** No wall clock that is this far off, in milliseconds, is a clock. */
export const LEASE_SKEW_MS_MAX = 3_600_000;
/** How long an isolated gateway serves the last it knew, in milliseconds, unless the operator says otherwise. */
export const STALE_MS_DEFAULT = 600_000;
/** The longest anybody drives a change before the answer is that its outcome is not known yet, in milliseconds. */
export const DRIVE_MS_MAX = 25_000;
/** Pause before whoever drives a change asks an overloaded lock again, in milliseconds. */
export const LOCK_OVERLOADED_RETRY_MS = 500;
/** Pause before a lock that was restarted is asked again, in milliseconds. */
export const LOCK_CALL_RETRY_MS = 50;

/** The longest an operator may let an isolated gateway serve what it knows, in milliseconds: a day. */
export const STALE_MS_MAX = 86_400_000;
/** The longest a gateway waits for one answer of a lock before it asks the ledger, in milliseconds. */
export const ASK_MS_MAX = 1_500;
/** How long a request lets another one's question stand for its own, in milliseconds: its asker may be gone. */
export const SHARED_ASK_MS_MAX = 100;
/** Questions of others that a request waits for, one after the other, before it asks itself. */
export const SHARED_ASKS_MAX = 3;
/** Questions about one register that one isolate has under way at a time; whoever comes then waits for their answers. */
export const ASKS_UNDER_WAY_MAX = 8;
/** Readings of the ledger for one register that one isolate has under way at a time: each costs more than a question. */
export const LEDGER_READS_UNDER_WAY_MAX = 4;
/** Requests of one isolate that fetch one version at a time: more than one, for the first may be given up by its visitor. */
export const VERSION_FETCHES_UNDER_WAY_MAX = 2;
/** Questions about previews that one isolate has under way at a time, whatever their labels: anybody can ask for any label, and each costs the control plane up to three queries. */
export const PREVIEW_ASKS_UNDER_WAY_MAX = 8;
/** How long a request waits for a place among those, in milliseconds, before it is told to come back. */
export const PREVIEW_PLACE_WAIT_MS_MAX = 1_000;
/** How often it looks for one, in milliseconds. */
export const PREVIEW_PLACE_POLL_MS = 20;
/** Requests of one isolate that wait for such a place; more are told to come back at once. */
export const PREVIEW_REQUESTS_WAITING_MAX = 64;
/** Labels whose newest question about them one isolate remembers, for those that came before it was sent. */
export const PREVIEW_LABELS_KEPT_MAX = 64;
/** Registers that one isolate keeps in memory: a few hundred bytes each. */
export const HELD_REGISTERS_MAX = 10_000;
/** Registers that a gateway asks for at the same time before the control plane goes away. */
export const CATCH_UP_ASKS_MAX = 50;
/** Host headers whose meaning a gateway isolate remembers. */
export const HOST_HEADERS_KEPT_MAX = 1_000;

/** How often an upload is started once more when the process that started it is gone: others' uploads may have ended it. */
export const TRIAL_TRIES_MAX = 6;
/** Longest pause before the next try, in milliseconds: the process needs about as long to be replaced. */
export const TRIAL_BACKOFF_MS_MAX = 1_000;

/** Processes in which suspect hosts are kept apart, at most: each costs memory, and two are enough to split a group. */
export const QUARANTINE_MAX = 4;
/** How long a group of suspects is left as it is without an incident, in milliseconds, before another may join it: its culprit may need a while. */
export const GROUP_TRIAL_MS = 1_500;
/** How long a suspect host stays apart without an incident the first time, in milliseconds. */
export const SUSPECT_MS = 10_000;
/** The longest a suspect host stays apart without an incident, in milliseconds. */
export const SUSPECT_MS_MAX = 600_000;
/** How long a suspicion is remembered, in milliseconds: a new one within it doubles the host's time apart. */
export const SUSPICION_MEMORY_MS = 600_000;
/** Suspect hosts, and cleared ones that are remembered: those that would be cleared next make room. */
export const SUSPECTS_MAX = 1_000;
/** How long after its end a request may still be why its process fails, in milliseconds: workerd ends neither timers nor what a version waits for after its response, so this is only how long a host is remembered. */
export const LINGER_MS = 600_000;
/** Losses of pool gateways within LINGER_MS after which hosts whose requests had ended are suspects too; within the breaker's window, new ones announce. */
export const POOL_LOSSES_WIDEN = 3;
/** Hosts whose gateway the front remembers; another is looked up again. */
export const PLACED_HOSTS_MAX = 10_000;
/** Hosts that a gateway's idle record keeps; see LINGER_MS. */
export const FLIGHT_HOSTS_MAX = 10_000;
/** Requests of one host without an answer at its gateway before others of its gateways help. */
export const SPREAD_REQUESTS_MIN = 4;
/** A host whose last answer is older, in milliseconds, is not spread: it may be what holds its gateway up. */
export const SPREAD_ANSWER_MS_MAX = 50;
/** Window in which a version's strikes count together, in milliseconds. */
export const BREAKER_WINDOW_MS = 60_000;
/** Strikes within the window that stop a version, if in one of them it was alone in its process. */
export const BREAKER_STRIKES = 2;
/** Strikes within the window that stop a version that was never alone, but each time the likeliest. */
export const BREAKER_STRIKES_IN_COMPANY = 4;
/** Versions whose strikes are remembered; those struck longest ago make room. */
export const STRUCK_VERSIONS_MAX = 1_000;
/** Versions that one quarantine gateway is remembered to have run, at most. */
export const ADMITTED_VERSIONS_MAX = 1_000;
/** Liveness probes, one after the other, that prove an admitted dispatch harmless: the first may overtake the admission. */
export const ADMISSION_PROBES = 2;
/** Age of an unanswered liveness probe from which its gateway gets nothing new, in milliseconds. */
export const STALLED_MS = 100;
/** Time over which is measured how much a gateway keeps everybody waiting, in milliseconds. */
export const HOG_WINDOW_MS = 10_000;
/** Share of that time from which somebody is taken to hog the process. */
export const HOG_SHARE = 0.5;
/** CPU time for which a process must have run in a silence that counts, as a share of it: less, and it was starved by others. Low, for several hogs share the cores. */
export const HOG_CPU_SHARE_MIN = 0.1;
/** The same in milliseconds: the kernel counts in ticks of 10. */
export const HOG_CPU_MS_MIN = 30;
/** How long a hogged gateway is watched once it has nothing in hand, in milliseconds: if it goes on, it was not for visitors. */
export const HOG_PROOF_MS = 2_000;
/** Between two gateways of one place that are replaced for it without a culprit, in milliseconds: versions may need that much CPU for their visitors. */
export const HOG_RETRIAL_MS = 60_000;
/** Wall time without an answer to a liveness probe after which a gateway is killed, in milliseconds. */
export const BLOCK_WALL_MS = 3_000;
/** The same where the process's CPU time is not known. */
export const BLOCK_WALL_MS_UNKNOWN_CPU = 1_000;

/** How long a request of the API waits for a control process that is being restarted, in milliseconds: clients wait longer. */
export const API_HOLD_MS_MAX = 15_000;
/** How long a visitor's request waits for a gateway that can take it, in milliseconds: several restarts. */
export const VISITOR_HOLD_MS_MAX = 10_000;
/** Requests that wait at one time; each costs some kB. */
export const HELD_REQUESTS_MAX = 10_000;
/** How often one request is given to a process, at most: code that ends processes must not be fed with its own requests. */
export const FLIGHT_TRIES_MAX = 2;
/** How long a request whose connection broke waits to hear that its process has ended, in milliseconds. */
export const GONE_MS_MAX = 500;
/** How long the control process waits before its end for gateways to learn what is current, in milliseconds. */
export const CATCH_UP_MS_MAX = 3_000;
/** Between two tries to tell the control plane of a stopped version, in milliseconds; gateways keep the host's word longer. */
export const STOP_REPEAT_MS = 1_000;
/** Between two looks at what suspicions have run out, in milliseconds. */
export const TICK_MS = 1_000;
/** A gateway whose memory is full sooner after its start, in milliseconds, has been filled by somebody: twice that fits into the breaker's window. */
export const FULL_MEMORY_SOON_MS = 30_000;
/** How often a gateway that is short of memory is told to unload versions, in milliseconds: what it unloads is loaded again when it is asked for. */
export const MEMORY_EVICTION_MS = 2_000;
/** How often gateways are told to let go of what nobody uses, in milliseconds. */
export const IDLE_EVICTION_MS = 30_000;
/** How long a gateway that is told to unload versions may take to answer, in milliseconds. Nobody waits for it. */
export const EVICT_ASK_MS_MAX = 1_000;
