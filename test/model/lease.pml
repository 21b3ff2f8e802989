/*
 * "Drain, then flip" for a model checker: HOLDERS gateways, a lock whose instance may be replaced once while the
 * old one answers on from memory, the ledger as a second way to read, DEPLOYS changes, ABORTS of them given up.
 * One step of `t` is ten milliseconds of a true clock; every clock runs at 9, 10 or 11 tenths of it.
 * The names are those of src/domain/lease.ts and register.ts. -DM_… plants a bug: see check.sh.
 */
#ifndef T
#define T 6
#endif
#ifndef HOLDERS
#define HOLDERS 1
#endif
#ifndef ASKS
#define ASKS 3
#endif
#ifndef DEPLOYS
#define DEPLOYS 1
#endif
#ifndef ABORTS
#define ABORTS 1
#endif
#define LEASE 20
/* The second instance is configured with a shorter term than the first, and has to wait out the longer one. */
#define AUTHORITY(e) ((e) -> 20 : 30)

#ifdef M_NODRIFT
#define SPREAD(ms) (ms)
#define UNSPREAD(ms) (ms)
#else
#define SPREAD(ms) (((ms)*11+8)/9 + 1)
#define UNSPREAD(ms) (((ms) > 1) -> (((ms)-1)*9/11) : 0)
#endif
#ifdef M_OWNTERM
#define INHERITED AUTHORITY(1)
#else
#define INHERITED AUTHORITY(0)
#endif
#ifdef M_RECEIPT
#define ASKEDAT(i) HOLDERCLOCK(i)
#else
#define ASKEDAT(i) ask[i].askedAt
#endif
#ifdef M_FLIPNOW
#define DRAINED true
#else
#define DRAINED (NOW >= drainedAt[owner])
#endif
#ifdef M_ROWLATE
#define ROWKNOWN true
#else
#define ROWKNOWN rowWritten
#endif

#define MAX(a,b) (((a)>(b)) -> (a) : (b))
#define MIN(a,b) (((a)<(b)) -> (a) : (b))
#define CLOCK(e) (t*rate[e])
#define HOLDERCLOCK(i) (t*rate[2+(i)])
#define NOW CLOCK(owner)

byte t = 0; byte rate[HOLDERS+2];
/* The register, in the owner's storage; and what the replaced instance remembers of it. */
byte visible = 1; bool pending = false, rowWritten = false, settled = true;
byte oldVisible; bool oldPending; bool twin = false;
byte owner = 0;
short drainedAt[2], authorityUntil[2];
/* The ledger: the newest row that was not given up. */
byte newestRow = 1; bool newestActive = true;
byte acked = 1, seen = 1, unacked = 0, begun = 0, asked = 0, aborted = 0;
typedef Lease { byte seq; short until }
typedef Ask { byte state; short askedAt; byte acked; byte seen; byte seq; short leaseMs }
Lease lease[HOLDERS]; Ask ask[HOLDERS];

#define CHECK(seq, ackedBefore, seenBefore) assert((seq) >= (ackedBefore)); assert((seq) >= (seenBefore)); seen = MAX(seen, seq)
#define FORGET(a) a.state = 0; a.askedAt = 0; a.acked = 0; a.seen = 0; a.seq = 0; a.leaseMs = 0

inline grant(i, e, seq_, pending_) { d_step {
  short now_; short ms_; now_ = CLOCK(e);
  if
#ifndef M_NOAUTHORITY
  :: now_ >= authorityUntil[e] -> FORGET(ask[i])
  :: now_ < authorityUntil[e] -> ms_ = MIN(LEASE, authorityUntil[e]-now_);
#else
  :: true -> ms_ = LEASE;
#endif
     if :: pending_ ->
#ifndef M_NOTRUNCATION
          if :: drainedAt[e] > now_ -> ms_ = MIN(ms_, UNSPREAD(drainedAt[e]-now_)) :: else -> ms_ = 0 fi
#else
          skip
#endif
        :: else ->
#ifndef M_FORGOTTEN
          drainedAt[e] = MAX(drainedAt[e], now_ + SPREAD(ms_))
#else
          skip
#endif
     fi;
     ask[i].seq = seq_; ask[i].leaseMs = ms_; ask[i].state = 2
  fi; now_ = 0; ms_ = 0 } }

inline hear(i) { d_step {
  CHECK(ask[i].seq, ask[i].acked, ask[i].seen);
  if :: ask[i].seq > lease[i].seq || (ask[i].seq == lease[i].seq && ASKEDAT(i)+ask[i].leaseMs > lease[i].until) ->
        lease[i].seq = ask[i].seq; lease[i].until = ASKEDAT(i)+ask[i].leaseMs
     :: else fi;
  if :: lease[i].until <= HOLDERCLOCK(i) -> lease[i].seq = 0; lease[i].until = 0 :: else fi;
  FORGET(ask[i]) } }

#define HOLDERMOVES(i) \
  :: d_step { lease[i].seq && HOLDERCLOCK(i) < lease[i].until -> CHECK(lease[i].seq, acked, seen) } \
  :: d_step { asked < ASKS && ask[i].state == 0 -> asked++; ask[i].state = 1; ask[i].askedAt = HOLDERCLOCK(i); \
              ask[i].acked = acked; ask[i].seen = seen } \
  :: ask[i].state == 1 -> grant(i, owner, visible, pending) \
  :: ask[i].state == 1 && twin -> grant(i, 0, oldVisible, oldPending) \
  :: ask[i].state == 2 -> hear(i)

active proctype world() {
  byte i;
  for (i : 0 .. HOLDERS+1) { if :: rate[i] = 9 :: rate[i] = 10 :: rate[i] = 11 fi }
  atomic { authorityUntil[0] = AUTHORITY(0); i = 0 }
  do
  /* Time passes. What can no longer matter is forgotten, so that equal states are seen to be equal. */
  :: t < T -> atomic { t++;
       for (i : 0 .. HOLDERS-1) { if :: lease[i].seq && lease[i].until <= HOLDERCLOCK(i) -> lease[i].seq = 0; lease[i].until = 0 :: else fi }
       i = 0;
       if :: drainedAt[0] < CLOCK(0) -> drainedAt[0] = CLOCK(0) :: else fi;
       if :: drainedAt[1] < CLOCK(1) -> drainedAt[1] = CLOCK(1) :: else fi;
       if :: authorityUntil[0] < CLOCK(0) -> authorityUntil[0] = CLOCK(0) :: else fi;
#ifndef M_NOAUTHORITY
       if :: twin && authorityUntil[0] <= CLOCK(0) -> twin = false; oldVisible = 0; oldPending = false :: else fi;
#endif
     }
  :: t >= T -> break
  HOLDERMOVES(0)
#if HOLDERS > 1
  HOLDERMOVES(1)
#endif
  /* Anybody reads the ledger: an active newest row proves what is current. */
  :: d_step { newestActive -> CHECK(newestRow, acked, seen) }
  /* The lock: intent, row, drain and flip, ack, `active`; or the change is given up. */
  :: d_step { !pending && begun < DEPLOYS -> begun++; pending = true; rowWritten = false }
  :: d_step { pending && !rowWritten -> rowWritten = true; newestRow = visible+1; newestActive = false }
  :: d_step { pending && ROWKNOWN && DRAINED ->
       visible++; unacked = visible; settled = (rowWritten -> false : settled); pending = false; rowWritten = false }
#ifdef M_ACTIVEEARLY
  :: d_step { pending && rowWritten -> newestActive = true }
#endif
  :: d_step { !settled -> settled = true; newestActive = (pending && rowWritten -> false : true) }
  :: d_step { unacked > 0 -> acked = unacked; unacked = 0 }
#ifdef M_ACKEARLY
  :: d_step { pending && rowWritten -> acked = visible+1 }
#endif
  :: d_step { pending && aborted < ABORTS -> aborted++; pending = false; rowWritten = false; newestRow = visible; newestActive = settled }
  :: d_step { authorityUntil[owner] - NOW < AUTHORITY(owner)/2 -> authorityUntil[owner] = NOW + AUTHORITY(owner) }
  /* The instance is replaced; the answers it owed to deployers are lost, the row is to be written again. */
  :: owner == 0 -> d_step { oldVisible = visible; oldPending = pending; twin = true; owner = 1; rowWritten = false; unacked = 0;
       authorityUntil[1] = CLOCK(1) + AUTHORITY(1);
#ifdef M_NORECOVERY
       drainedAt[1] = CLOCK(1)
#else
       drainedAt[1] = CLOCK(1) + SPREAD(INHERITED)
#endif
     }
  od }
