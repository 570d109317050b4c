"""Every setting that there is; docs/settings.md has the same table: a test compares.

A secret is never a flag: flags can be read in the list of processes.
"""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "TRACKER_"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its environment variable, its flag if it has one, its default, its meaning."""

    variable: str
    flag: str | None
    default: str
    meaning: str


SETTINGS_FILE = Setting(
    "TRACKER_SETTINGS",
    None,
    "none",
    "a TOML file with settings, their names in lower case without `TRACKER_`; variables win",
)
DATA_DIR = Setting(
    "TRACKER_DATA_DIR",
    "--data-dir",
    "one directory per user, another for the demo",
    "where the embedded PostgreSQL keeps its data",
)
DATABASE_URL = Setting(
    "TRACKER_DATABASE_URL",
    None,
    "none: the embedded server",
    "a PostgreSQL (17 or newer) to use instead of the embedded one",
)
DIRECT_URL = Setting(
    "TRACKER_DIRECT_URL",
    None,
    "none: no pooler in between",
    "the same database without the connection pooler that `TRACKER_DATABASE_URL` leads to",
)
READ_DATABASE_URL = Setting(
    "TRACKER_READ_DATABASE_URL",
    None,
    "none: the primary is read from",
    "standbys of the database, which `tracker serve` answers questions from",
)
HOST = Setting("TRACKER_HOST", "--host", "127.0.0.1", "the address to listen on")
PORT = Setting("TRACKER_PORT", "--port", "8000", "the port to listen on")
WRITE_TOKEN = Setting(
    "TRACKER_WRITE_TOKEN",
    None,
    "none: nobody may write",
    "a bearer token for writing, beside those of `tracker token`; the demo is open without it",
)
READ = Setting("TRACKER_READ", None, "open", "who may read: open, or token for those who have one")
INTROSPECTION = Setting(
    "TRACKER_INTROSPECTION", None, "on", "whether the API tells its schema: on or off"
)
DOCUMENTS = Setting(
    "TRACKER_DOCUMENTS",
    None,
    "none",
    "a file of GraphQL documents that clients may name by `documentId`, as JSON: an object of"
    " documents by their ids, or Apollo's manifest",
)
OTHER_DOCUMENTS = Setting(
    "TRACKER_OTHER_DOCUMENTS",
    None,
    "answer",
    "what becomes of documents that are not in that file: answer or refuse",
)
HOSTS = Setting(
    "TRACKER_HOSTS",
    None,
    "none: localhost and addresses",
    "the names that the server is reached by, with commas; `*` is any",
)
ORIGINS = Setting(
    "TRACKER_ORIGINS",
    None,
    "none: our own pages",
    "the origins whose pages may use the API, with commas; `*` is any",
)
RATE = Setting(
    "TRACKER_RATE",
    None,
    "0: no limit",
    "the requests a second of one token or, without one, of one address",
)
OPERATIONS = Setting(
    "TRACKER_OPERATIONS",
    None,
    "100",
    "the operations of one client at a time over WebSockets and streams",
)
QUESTIONS = Setting(
    "TRACKER_QUESTIONS",
    None,
    "2",
    "the questions of one client without the right to write that are worked on at"
    " a time; its others wait",
)
CONNECTIONS = Setting(
    "TRACKER_CONNECTIONS",
    None,
    "10000",
    "the connections in all; fewer where the process may not have enough descriptors (`ulimit -n`)",
)
CLIENT_CONNECTIONS = Setting(
    "TRACKER_CLIENT_CONNECTIONS",
    None,
    "200",
    "the connections of one address, unless it is a trusted proxy's",
)
HEAD_BYTES = Setting(
    "TRACKER_HEAD_BYTES", None, "65536", "the bytes of the address and headers of a request"
)
HEAD_SECONDS = Setting(
    "TRACKER_HEAD_SECONDS", None, "10", "the seconds that a client has to send them"
)
OIDC_ISSUER = Setting(
    "TRACKER_OIDC_ISSUER",
    None,
    "none: only our own tokens",
    "the OpenID Connect issuer whose JWTs are taken as tokens, an https address",
)
OIDC_AUDIENCE = Setting(
    "TRACKER_OIDC_AUDIENCE",
    None,
    "none: an issuer needs one",
    "what the issuer's tokens must be for (`aud`)",
)
OIDC_KEYS = Setting(
    "TRACKER_OIDC_KEYS", None, "where the issuer says", "the address of the issuer's key set (JWKS)"
)
OIDC_ACTOR = Setting("TRACKER_OIDC_ACTOR", None, "sub", "the claim that names the actor")
OIDC_SCOPE = Setting(
    "TRACKER_OIDC_SCOPE", None, "scope", "the claim with the scopes; dots lead into objects"
)
OIDC_SCOPES = Setting(
    "TRACKER_OIDC_SCOPES",
    None,
    "tracker:read=read, tracker:record=record, …",
    "what its words mean, with commas: `editors=record, boss=admin`",
)
PG_BIN = Setting(
    "TRACKER_PG_BIN",
    None,
    "the wheel's, or an installed one",
    "the directory of PostgreSQL's programs for the embedded server",
)
AUDIT_DIR = Setting(
    "TRACKER_AUDIT_DIR",
    None,
    "`audit` in the data directory; none with `TRACKER_DATABASE_URL`",
    "where the keys that sign the log and its last signed head are kept; without it"
    " nothing is signed here",
)
LOG_ORIGIN = Setting(
    "TRACKER_LOG_ORIGIN",
    None,
    "a name made with the first key",
    "the name of the log in its checkpoints, such as `minerals.example.com/log`",
)
WITNESSES = Setting(
    "TRACKER_WITNESSES",
    None,
    "none",
    "a file that names the witnesses of the log and how many of them a checkpoint"
    " needs (C2SP tlog-policy)",
)
DELIVERY_NETWORKS = Setting(
    "TRACKER_DELIVERY_NETWORKS",
    None,
    "none: addresses of the internet only",
    "the networks that deliveries may go to beside the internet, and without TLS, with commas:"
    " `10.1.0.0/16, ::1/128`",
)
DELIVERY_ORIGIN = Setting(
    "TRACKER_DELIVERY_ORIGIN",
    None,
    "the first of `TRACKER_HOSTS`, or localhost",
    "the name by which receivers of deliveries know this tracker (`WebHook-Request-Origin`)",
)
SNAPSHOTS = Setting(
    "TRACKER_SNAPSHOTS",
    None,
    "database",
    "where the bytes that publishers sent are kept: `database`, or the whole path of a directory, which"
    " all servers on the database must then have",
)
WATCH = Setting(
    "TRACKER_WATCH",
    None,
    "off",
    "which sources `tracker serve` looks through: `off`, `default` for those that ship, or a TOML file"
    " that adds to them; `tracker watch` takes `off` for `default`",
)
WATCH_NETWORKS = Setting(
    "TRACKER_WATCH_NETWORKS",
    None,
    "none: addresses of the internet only",
    "the networks that sources may be in beside the internet, with commas",
)
WATCH_CONTACT = Setting(
    "TRACKER_WATCH_CONTACT",
    None,
    "none",
    "where publishers can ask about the requests of the watch, an address or a mail address: it is in"
    " their `User-Agent`",
)
REVIEWERS = Setting(
    "TRACKER_REVIEWERS",
    None,
    "1",
    "how many persons have to accept what was found at publishers before it is recorded: 1 or 2",
)
TOKEN = Setting(
    "TRACKER_TOKEN",
    None,
    "none",
    "a bearer token for `tracker verify URL` and `tracker mcp URL`, where reading needs one",
)
RELAY_URL = Setting(
    "TRACKER_RELAY_URL",
    None,
    "none: it is given to the command",
    "where `tracker relay` publishes, `nats://` or `tls://`, with a password or token if there is one",
)
RELAY_CREDENTIALS = Setting(
    "TRACKER_RELAY_CREDENTIALS",
    "--credentials",
    "none",
    "a file by which `tracker relay` logs in: a JWT and an nkey seed (`.creds`), or a seed alone",
)
LOG_LEVEL = Setting(
    "TRACKER_LOG_LEVEL",
    "--log-level",
    "warning",
    "how much is logged: debug, info, warning or error",
)
LOG_FORMAT = Setting(
    "TRACKER_LOG_FORMAT", "--log-format", "text", "text for people, or json: a line of JSON each"
)

SETTINGS = (
    SETTINGS_FILE,
    DATA_DIR,
    DATABASE_URL,
    DIRECT_URL,
    READ_DATABASE_URL,
    HOST,
    PORT,
    WRITE_TOKEN,
    READ,
    INTROSPECTION,
    DOCUMENTS,
    OTHER_DOCUMENTS,
    HOSTS,
    ORIGINS,
    RATE,
    OPERATIONS,
    QUESTIONS,
    CONNECTIONS,
    CLIENT_CONNECTIONS,
    HEAD_BYTES,
    HEAD_SECONDS,
    OIDC_ISSUER,
    OIDC_AUDIENCE,
    OIDC_KEYS,
    OIDC_ACTOR,
    OIDC_SCOPE,
    OIDC_SCOPES,
    PG_BIN,
    AUDIT_DIR,
    LOG_ORIGIN,
    WITNESSES,
    DELIVERY_NETWORKS,
    DELIVERY_ORIGIN,
    SNAPSHOTS,
    WATCH,
    WATCH_NETWORKS,
    WATCH_CONTACT,
    REVIEWERS,
    TOKEN,
    RELAY_URL,
    RELAY_CREDENTIALS,
    LOG_LEVEL,
    LOG_FORMAT,
)
