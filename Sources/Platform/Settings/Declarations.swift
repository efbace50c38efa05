import Foundation
public import MartletCore

/// Every setting, described once: name, what it may be, default, and what it does.
///
/// Loading, the documentation, `.env.example` and `martlet check` all come from these lines, in this order.
/// `MARTLET_CONFIG` and `ENVIRONMENT` stand first: other settings are read from the one, and defaults depend on the other.
/// A `Group` is the heading of the settings below it.
public struct Declarations: Sendable {
    let general = Group("General")
    public let configurationFile = Setting(
        "MARTLET_CONFIG", .readableFile,
        "A JSON or YAML file (`.json`, `.yaml`, `.yml`) with further settings, each under its name in lower case.")
    public let environment = Setting(
        "ENVIRONMENT", .choice(of: Settings.Environment.self), default: .development,
        "Where the server runs. `production` refuses weak secrets, debugging and test routes.")
    public let debug = Setting("DEBUG", .boolean, default: false, "Logs at level debug or finer. Refused in production.")
    public let testRoutes = Setting(
        "MARTLET_TEST_ROUTES", .boolean, default: false,
        "Adds endpoints that sleep, trap and run a slow query, for testing from outside. Refused in production.")

    let server = Group("Server")
    public let host = Setting("HOST", .host, default: "127.0.0.1", "The address to listen on; `0.0.0.0` or `::` for all.")
    public let port = Setting("PORT", .integer(0...65_535), default: 8080, "The TCP port; 0 lets the system choose one.")
    public let publicURL = Setting(
        "PUBLIC_URL", .webOrigin, "How browsers reach the server, without a path: used for links, cookies and the issuer.")
    public let serverThreads = Setting("SERVER_THREADS", .integer(0...1024), default: 0, "Event loop threads; 0 means one per core.")
    public let drainDelay = Setting(
        "DRAIN_DELAY", .duration(upTo: .minutes(10)), defaultIn: { $0.isLocal ? .milliseconds(100) : .seconds(5) },
        "How long a server told to stop still accepts connections, not ready any more, so that load balancers can look elsewhere.")
    public let shutdownTimeout = Setting(
        "SHUTDOWN_TIMEOUT", .duration(upTo: .hours(1)), default: .seconds(25),
        "How long requests in flight may take to finish after a request to stop.")
    public let compression = Setting("COMPRESSION", .boolean, default: true, "Compresses answers with gzip where it helps.")
    public let compressionMinimumSize = Setting(
        "COMPRESSION_MIN_SIZE", .byteSize(0...(1 << 30)), default: 1 << 10, "Answers smaller than this are sent as they are.")
    public let apiDocumentation = Setting("API_DOCS", .boolean, default: true, "Serves `/openapi.json` and the page `/docs`.")
    public let documentationAssets = Setting(
        "DOCS_ASSETS", .path, default: "var/assets/swagger-ui", "The folder with the files of the page `/docs`.")

    let processes = Group("Processes")
    public let workers = Setting(
        "WORKERS", .integer(0...256), default: 0,
        """
        How many worker processes serve, held by a supervisor that starts fresh ones in the place of those that crash; 0 or 1 serves in one \
        process without a supervisor.
        """)
    public let controlSocket = Setting(
        "CONTROL_SOCKET", .path, default: "var/martlet.sock", "Where `martlet reload` and `martlet status` reach the supervisor.")
    public let crashLog = Setting(
        "CRASH_LOG", .path, default: "var/crashes.jsonl",
        "The file to which the supervisor adds a line of JSON for each worker that crashed.")

    let limits = Group("Limits")
    public let requestTimeout = Setting(
        "REQUEST_TIMEOUT", .duration(upTo: .hours(1)), default: .seconds(30),
        "How long a handler may take; then the request is cancelled and answered with 504.")
    public let maximumBodySize = Setting(
        "MAX_BODY_SIZE", .byteSize(1...(1 << 30)), default: 1 << 20, "The largest request body, unless the endpoint says otherwise.")
    public let maximumHeaderSize = Setting(
        "MAX_HEADER_SIZE", .byteSize((1 << 10)...(1 << 20)), default: 16 << 10, "The largest request head, all header lines together.")
    public let headerTimeout = Setting(
        "HEADER_TIMEOUT", .duration(upTo: .hours(1)), default: .seconds(10), "How long a client may take to send a request's head.")
    public let bodyTimeout = Setting(
        "BODY_TIMEOUT", .duration(upTo: .hours(24)), default: .seconds(120), "How long a client may take to send a request's body.")
    public let idleTimeout = Setting(
        "IDLE_TIMEOUT", .duration(upTo: .hours(24)), default: .seconds(60), "How long a connection may stay open between requests.")
    public let writeStallTimeout = Setting(
        "WRITE_STALL_TIMEOUT", .duration(upTo: .hours(1)), default: .seconds(20), "How long a client may stop reading its answer.")
    public let maximumConnections = Setting(
        "MAX_CONNECTIONS", .integer(1...1_000_000), default: 4096, "Open connections at a time; keep it below the descriptor limit.")
    public let maximumConnectionsPerAddress = Setting(
        "MAX_CONNECTIONS_PER_ADDRESS", .integer(0...1_000_000), default: 0, "Open connections of one client address; 0 means no limit.")

    let overload = Group("Overload")
    public let overloadProtection = Setting(
        "OVERLOAD_PROTECTION", .boolean, default: true,
        "Refuses requests early, with 503, when there is more to do than can be done in time.")
    public let maximumInFlight = Setting(
        "MAX_IN_FLIGHT", .integer(1...100_000), default: 1000,
        "The most requests that are worked on at a time; fewer while work has to wait for a thread or for the database.")

    let rates = Group("Rate limits")
    public let rateLimits = Setting(
        "RATE_LIMIT_ENABLED", .boolean, default: true, "Bounds how often may be called. Turning it off is refused in production.")
    public let readsRate = Setting(
        "RATE_LIMIT_READS", .rate, default: CallRate(100, per: .minutes(1)),
        "What one caller may read. Callers are users, or client addresses.")
    public let writesRate = Setting(
        "RATE_LIMIT_WRITES", .rate, default: CallRate(30, per: .minutes(1)), "What one caller may change.")
    public let loginRate = Setting(
        "RATE_LIMIT_LOGIN", .rate, default: CallRate(5, per: .minutes(15)),
        "Logins and registrations of one client address; registrations of one e-mail address too.")
    public let costlyRate = Setting(
        "RATE_LIMIT_COSTLY", .rate, default: CallRate(20, per: .minutes(1)), "Imports, exports and the like of one caller.")
    public let rateFallback = Setting(
        "RATE_LIMIT_FALLBACK", .choice(of: Settings.LimitFallback.self), default: .local,
        """
        What limits do while the counts that instances share are away: `local` counts in each instance, by its share of the limit, `open` \
        admits every call, `closed` answers 503.
        """)
    public let readsFallback = Setting(
        "RATE_LIMIT_READS_FALLBACK", .choice(of: Settings.LimitFallback.self), "The same, where reads differ.")
    public let writesFallback = Setting(
        "RATE_LIMIT_WRITES_FALLBACK", .choice(of: Settings.LimitFallback.self), "The same, where writes differ.")
    public let loginFallback = Setting(
        "RATE_LIMIT_LOGIN_FALLBACK", .choice(of: Settings.LimitFallback.self), "The same, where logins differ.")
    public let costlyFallback = Setting(
        "RATE_LIMIT_COSTLY_FALLBACK", .choice(of: Settings.LimitFallback.self), "The same, where costly calls differ.")
    public let trustedProxies = Setting(
        "TRUSTED_PROXIES", .networks, default: [],
        """
        Addresses and networks of proxies, separated by commas, such as `10.0.0.0/8,2001:db8::1`. Only from them `Forwarded` and \
        `X-Forwarded-For` are believed, and the rightmost address that is not among them is the client's.
        """)

    let encryption = Group("TLS")
    public let tlsCertificateFile = Setting(
        "TLS_CERTIFICATE_FILE", .readableFile, "The certificate chain (PEM). With it the server speaks TLS; needs `TLS_PRIVATE_KEY_FILE`.")
    public let tlsPrivateKeyFile = Setting(
        "TLS_PRIVATE_KEY_FILE", .readableFile, "The private key (PEM) of `TLS_CERTIFICATE_FILE`.")
    public let http2 = Setting("HTTP2", .boolean, default: false, "Offers HTTP/2 beside HTTP/1.1.")
    public let trustForwardedProto = Setting(
        "TRUST_FORWARDED_PROTO", .boolean, default: false,
        "Believes `X-Forwarded-Proto`, for HSTS behind a TLS proxy. Only when every request comes through that proxy.")

    let storage = Group("Database")
    public let databaseURL = Setting(
        "DATABASE_URL", .databaseURL, default: .sqlite(path: "var/martlet.db"),
        """
        SQLite: `sqlite:relative/path` (from the working folder) or `sqlite:///absolute/path`. PostgreSQL: \
        `postgres://user:password@host:5432/database`, also with parameters such as `?sslmode=verify-full`; what it leaves out comes \
        from libpq's `PGHOST`, `PGPASSWORD`, `~/.pgpass` and so on.
        """)
    public let databaseTimeout = Setting(
        "DATABASE_TIMEOUT", .duration(upTo: .hours(1)), default: .seconds(30),
        """
        How long a transaction may take, and how long a call may wait before its work begins: on SQLite for another process's lock, on \
        PostgreSQL for a connection.
        """)
    public let migrateOnStart = Setting(
        "MIGRATE_ON_START", .boolean, defaultIn: { $0.isLocal },
        "Migrates the database at start; otherwise the server only starts on a migrated one (`martlet migrate`).")
    public let slowStatement = Setting(
        "SLOW_STATEMENT_MS", .milliseconds(0...3_600_000), default: .milliseconds(200),
        "Statements that take longer are logged, without their values.")

    let sqlite = Group("Database: SQLite")
    public let sqliteSynchronous = Setting(
        "SQLITE_SYNCHRONOUS", .choice(of: Settings.SQLiteSynchronous.self), default: .full,
        """
        `full` keeps every acknowledged write. `normal` is faster, but a power cut may lose the transactions of the last moments \
        before it; the database stays consistent.
        """)
    public let sqliteReaders = Setting(
        "SQLITE_READERS", .integer(1...64), default: min(64, max(2, ProcessInfo.processInfo.activeProcessorCount)),
        describedAs: "number of cores, at least 2", "Connections that read beside the one that writes.")

    let postgres = Group("Database: PostgreSQL")
    public let databasePoolSize = Setting(
        "DATABASE_POOL_SIZE", .integer(1...1000), default: 20, "Connections for transactions that stay open between uses.")
    public let databaseMaximumOverflow = Setting(
        "DATABASE_MAX_OVERFLOW", .integer(0...1000), default: 10, "Connections that are opened beyond those while all are in use.")
    public let databasePipelines = Setting(
        "DATABASE_PIPELINES", .integer(0...16), default: 2,
        "Connections that the single statements of many requests share; 0 gives every statement a connection of its own.")
    public let databaseMaximumWaiting = Setting(
        "DATABASE_MAX_WAITING", .integer(1...1_000_000), default: 1000,
        "Calls that may wait for a connection; further ones are answered with 503 at once.")
    public let databaseConnectTimeout = Setting(
        "DATABASE_CONNECT_TIMEOUT", .duration(upTo: .minutes(10)), default: .seconds(5), "How long opening a connection may take.")
    public let databaseStatementTimeout = Setting(
        "DATABASE_STATEMENT_TIMEOUT", .duration(upTo: .hours(24)), default: .seconds(30), "How long the server works on one statement.")
    public let databaseLockTimeout = Setting(
        "DATABASE_LOCK_TIMEOUT", .duration(upTo: .hours(24)), default: .seconds(10), "How long a statement waits for another's lock.")
    public let databaseIdleTransactionTimeout = Setting(
        "DATABASE_IDLE_TRANSACTION_TIMEOUT", .duration(upTo: .hours(24)), default: .seconds(60),
        "How long a transaction may do nothing before the server ends its connection, and so frees its locks.")
    public let databaseMaximumLifetime = Setting(
        "DATABASE_MAX_LIFETIME", .duration(upTo: .hours(24)), default: .minutes(30),
        "How old a connection may become before another takes its place, so that a moved server is found.")
    public let databaseIdleTimeout = Setting(
        "DATABASE_IDLE_TIMEOUT", .duration(upTo: .hours(24)), default: .minutes(10), "How long a connection may stay open unused.")
    public let databasePreparedStatements = Setting(
        "DATABASE_PREPARED_STATEMENTS", .boolean, default: true,
        """
        Lets each connection remember how to run its statements; `false` behind PgBouncer in transaction mode, where the server's limits \
        of time are not set either.
        """)
    public let databaseApplicationName = Setting(
        "DATABASE_APPLICATION_NAME", .text(upTo: 63), default: "martlet", "How connections are named in `pg_stat_activity`.")

    let redis = Group("Redis")
    public let redisURL = Setting(
        "REDIS_URL", .redisURL,
        """
        The Redis or Valkey server that the instances share: `redis://user:password@host:6379/0`, or `rediss://` for TLS, with \
        `?ca_file=/path.pem` for certificates of your own.
        """)
    public let redisPrefix = Setting("REDIS_PREFIX", .text(upTo: 100), default: "martlet:", "What every key there begins with.")
    public let redisTimeout = Setting(
        "REDIS_TIMEOUT", .duration(upTo: .minutes(10)), default: .seconds(1),
        "How long a command may take; then it fails, and its connection is given up.")
    public let redisConnectTimeout = Setting(
        "REDIS_CONNECT_TIMEOUT", .duration(upTo: .minutes(10)), default: .seconds(2), "How long opening a connection may take.")
    public let redisConnections = Setting(
        "REDIS_CONNECTIONS", .integer(1...16), default: 2, "Connections that the commands of all requests share.")

    let cache = Group("Cache")
    public let cacheMemory = Setting(
        "CACHE_MEMORY", .byteSize(0...(1 << 40)), default: 64 << 20,
        "The most memory that kept values and answers take in one process; 0 keeps nothing there.")
    public let cacheSharedTimeout = Setting(
        "CACHE_SHARED_TIMEOUT", .duration(upTo: .seconds(10)), default: .milliseconds(100),
        "How long a request waits for an answer of the cache in Redis before it goes on without.")

    let accounts = Group("Accounts and tokens")
    public let secretKey = Setting(
        secret: "SECRET_KEY",
        """
        Seals the secrets that are stored (AES-256-GCM), derives each refresh token from the one before it, and the key that signs the audit log.
        """)
    public let previousSecretKeys = Setting(
        hidden: "PREVIOUS_SECRET_KEYS", .secrets,
        """
        Values that `SECRET_KEY` had before, separated by commas, which they must not contain: what they sealed still opens, and what they signed is recognised. After `martlet secrets rotate` they can go.
        """)
    public let jwtSecretKey = Setting(
        secret: "JWT_SECRET_KEY", "Signs access tokens (HS256). Not used where `JWT_KEY_FILES` names keys, but to be set all the same.")
    public let jwtPreviousSecretKeys = Setting(
        hidden: "JWT_PREVIOUS_SECRET_KEYS", .secrets,
        "What signed access tokens before: those that are still about stay good, and no new ones are signed with it.")
    public let jwtKeyFiles = Setting(
        "JWT_KEY_FILES", .readableFiles, default: [],
        """
        Private keys (PEM, PKCS#8) on P-256 (ES256) or Ed25519 (EdDSA). The first signs access tokens, all of them check; their public keys \
        are at `/.well-known/jwks.json`. Read anew at SIGHUP.
        """)
    public let authIssuers = Setting(
        hidden: "AUTH_ISSUERS", .authIssuers,
        "Others whose access tokens are accepted, such as Supabase, Auth0 or Keycloak: see [operating](operating.md#tokens-of-others).")
    public let jwtExpiration = Setting(
        "JWT_EXPIRE_MINUTES", .minutes(1...1440), default: .minutes(30), "How long an access token is good for.")
    public let jwtIssuer = Setting("JWT_ISSUER", .text(upTo: 255), default: "martlet", "The `iss` claim, written and required.")
    public let jwtAudience = Setting("JWT_AUDIENCE", .text(upTo: 255), default: "martlet", "The `aud` claim, written and required.")
    public let refreshExpiration = Setting(
        "REFRESH_EXPIRE_DAYS", .days(1...365), default: .days(30), "How long a refresh token is good for.")
    public let refreshGrace = Setting(
        "REFRESH_GRACE_SECONDS", .seconds(0...300), default: .seconds(10),
        "How long a used refresh token still answers with its successor, for calls that crossed on the way.")
    public let cookieSecure = Setting(
        "COOKIE_SECURE", .boolean, defaultIn: { $0 != .development }, "Marks cookies `Secure`: browsers send them over TLS only.")
    public let argon2Memory = Setting(
        "ARGON2_MEMORY_KIB", .integer(8...4_194_304), default: 19_456, "Memory of one password hash (Argon2id).", unit: "KiB")
    public let argon2Iterations = Setting("ARGON2_ITERATIONS", .integer(1...100), default: 2, "Passes over that memory.")
    public let argon2Parallelism = Setting("ARGON2_PARALLELISM", .integer(1...64), default: 1, "Lanes of one password hash.")
    public let argon2Concurrency = Setting(
        "ARGON2_CONCURRENCY", .integer(1...1024), default: min(1024, ProcessInfo.processInfo.activeProcessorCount),
        describedAs: "number of cores", "Password hashes computed at a time; further ones wait.")

    let auditing = Group("Audit log")
    public let auditRetention = Setting(
        "AUDIT_RETENTION", .duration(upTo: .hours(24 * 3650)), default: .hours(24 * 365), "How long rows of the audit log are kept.")

    public let sessionsPerAccount = Setting(
        "SESSIONS_PER_ACCOUNT", .integer(0...10_000), default: 100,
        "How many sessions an account may have at a time: one more ends the oldest. 0 means no limit.")

    public let mfaRequiredRoles = Setting(
        "MFA_REQUIRED_ROLES", .roleNames, default: [],
        """
        Roles whose holders must have a second factor, such as `admin`: until they have turned one on, their tokens have no permissions. \
        `any` means everybody.
        """)

    let mail = Group("Mail")
    public let mailURL = Setting(
        "MAIL_URL", .mailURL, defaultIn: { $0 == .development ? .folder(path: "var/mail") : $0 == .test ? .log : .nowhere },
        """
        How mail leaves: `smtp://user:password@host:587` (by STARTTLS, which only a server on this machine may lack) or \
        `smtps://user:password@host:465`, with `?ca_file=/path.pem` for certificates of your own; `file:///folder` writes a file for each, \
        `log:` a line of the log, which masks secrets; `none` sends none, and what needs mail answers 503.
        """)
    public let mailSender = Setting(
        "MAIL_FROM", .mailbox,
        "The address that mail comes from. Needed wherever a server takes it; `martlet@localhost.localdomain` elsewhere.")
    public let mailTimeout = Setting(
        "MAIL_TIMEOUT", .duration(upTo: .minutes(4)), default: .seconds(30),
        "How long handing over one mail may take; then it is tried again.")

    let crossOrigin = Group("Cross-origin requests")
    public let corsOrigins = Setting(
        "CORS_ORIGINS", .crossOrigins, default: .only([]),
        """
        Web origins whose pages may call the API, exact and separated by commas. `*` allows all, without credentials; refused in \
        production.
        """)
    public let corsCredentials = Setting("CORS_CREDENTIALS", .boolean, default: false, "Lets those pages send cookies.")
    public let corsMaximumAge = Setting(
        "CORS_MAX_AGE", .duration(upTo: .hours(24)), default: .seconds(600), "How long a browser may remember a preflight answer.")

    let idempotency = Group("Idempotency")
    public let idempotencyRetention = Setting(
        "IDEMPOTENCY_RETENTION", .duration(upTo: .hours(24 * 3650)), default: .hours(24),
        "How long the answer to a call with an `Idempotency-Key` is kept for its repetitions.")

    let jobs = Group("Jobs")
    public let jobsInServer = Setting(
        "JOBS_IN_SERVER", .boolean, default: true, "Runs jobs inside the server. Without it, `martlet work` does.")
    public let jobsConcurrency = Setting(
        "JOBS_CONCURRENCY", .integer(1...10_000), default: 10, "How many jobs of the queue `default` run at a time in one process.")
    public let jobsLease = Setting(
        "JOBS_LEASE", .duration(upTo: .hours(1)), default: .seconds(30),
        "How long a worker that is not heard of keeps its jobs; they run again within twice this time. Give all instances the same.")
    public let jobsRetention = Setting(
        "JOBS_RETENTION", .duration(upTo: .hours(24 * 3650)), default: .hours(24 * 7), "How long finished jobs are kept.")
    public let jobsDeadRetention = Setting(
        "JOBS_DEAD_RETENTION", .duration(upTo: .hours(24 * 3650)), default: .hours(24 * 30), "How long dead letters are kept.")

    let measuring = Group("Metrics")
    public let metrics = Setting("METRICS_ENABLED", .boolean, default: true, "Counts what happens, and serves it at `/metrics`.")
    public let metricsToken = Setting(
        hidden: "METRICS_TOKEN", .secret,
        """
        Who reads `/metrics` must send it, as `Authorization: Bearer …`. Without it, outside development and test only peers on loopback \
        and private networks are answered.
        """)

    let logging = Group("Logging")
    public let logLevel = Setting(
        "LOG_LEVEL", .choice(of: Settings.LogLevel.self), default: .info, "The least severe level that is logged.")
    public let logLevels = Setting(
        "LOG_LEVELS", .logLevels, default: [:],
        "Other levels for some loggers and those below them, such as `martlet.access=warning,martlet.jobs=debug`.")
    public let logFormat = Setting(
        "LOG_FORMAT", .choice(of: Settings.LogFormat.self), default: .auto, "`auto` is text on a terminal and JSON elsewhere.")
    public let logBuffer = Setting(
        "LOG_BUFFER", .byteSize((64 << 10)...(1 << 30)), default: 8 << 20,
        "How much may wait for each place that is written to; beyond it, lines are dropped and counted.")
    public let logFile = Setting("LOG_FILE", .path, "A file that is written beside standard error, and rotated.")
    public let logErrorFile = Setting("LOG_ERROR_FILE", .path, "The same, for levels `error` and `critical` alone.")
    public let logFileSize = Setting(
        "LOG_FILE_SIZE", .byteSize((64 << 10)...(1 << 40)), default: 10 << 20, "How large such a file becomes before it is put away.")
    public let logFileCount = Setting(
        "LOG_FILE_COUNT", .integer(0...1000), default: 5, "How many files that were put away are kept, compressed.")

    let tracing = Group("Tracing")
    public let collectorURL = Setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT", .collectorURL,
        "The collector that traces are sent to, such as `http://127.0.0.1:4318` (OTLP over HTTP, JSON). Without it nothing is traced.")
    public let collectorFields = Setting(
        hidden: "OTEL_EXPORTER_OTLP_HEADERS", .collectorFields,
        "Header fields of what is sent there, such as a token: `name=value,name=value`, with special characters percent-encoded.")
    public let serviceName = Setting(
        "OTEL_SERVICE_NAME", .text(upTo: 255), default: "martlet", "What this service is called beside others.")
    public let traceDelay = Setting(
        "OTEL_BSP_SCHEDULE_DELAY", .milliseconds(1...600_000), default: .seconds(5), "How long what is recorded waits for more at most.")
    public let traceRatio = Setting(
        "TRACE_SAMPLE_RATIO", .ratio, default: 0.01,
        "The part of requests that is recorded whatever becomes of them. Those that end in a 5xx or are slow are recorded in any case.")
    public let traceSlow = Setting("TRACE_SLOW", .duration(upTo: .hours(1)), default: .seconds(1), "From when on a request is slow.")
    public let traceParents = Setting(
        "TRACE_PARENT", .choice(of: Settings.TraceParents.self), default: .continue,
        """
        What a request's `traceparent` means. `continue`: its trace goes on, and only from `TRUSTED_PROXIES` it says whether it is recorded; \
        `trust`: from anyone; `ignore`: a new trace begins.
        """)
}
