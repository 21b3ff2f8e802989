/** The text of `--help`. */
export const HELP = `Switchback: a self-hosted control plane for Cloudflare Workers.

Usage: npm start -- [flags]

  --port N               port to listen on; 0 takes any free one        (8787)
  --host ADDRESS         address to listen on                           (127.0.0.1)
  --data DIRECTORY       where everything is kept                       (./switchback-data)
  --workers-domain NAME  Workers answer on <worker>.NAME                (localhost)
  --control-host NAME    one more host name for the API; repeatable
  --public-url URL       where clients reach the API if a proxy stands in front
  --egress public|open   what deployed code may call: the Internet only, or private
                         networks and this machine too                  (public)
  --lease-ms N           how long a gateway may serve a Worker from memory, which is about how
                         long a rollback waits for its acknowledgement  (200)
  --gateways N           processes that run deployed code               (one a core)
  --block-ms N           CPU time for which deployed code may block its process before
                         that is ended                                  (500)
  --wall-ms N            longest wait for the start of an answer        (100000)
  --object-processes N   Workers whose Durable Objects run at once      (32)
  --gateway-memory-mb N  memory at which a gateway is replaced          (512)
  --drain-ms N           how long requests in flight may go on when their process is
                         to end                                         (10000)
  --log text|json        what a line of the log looks like              (text)
  --help                 this text

Environment, read at every start:
  SWITCHBACK_ROOT_TOKEN  use this root API token from now on, in place of the stored one
  SWITCHBACK_ACCOUNT_ID  account id of a new data directory: 1 to 64 letters and digits

Every flag has a variable (SWITCHBACK_PORT, SWITCHBACK_DATA, …); the flag wins.
docs/operations.md has the rest: more settings, the data directory, the log, restarts.
`;
