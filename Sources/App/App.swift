// MartletApp: every service and driver chosen, on one screen. The binary and the tests use it unchanged.

public import Logging
import MartletAdmin
import MartletAdminAPI
public import MartletAudit
import MartletAuditAPI
import MartletBookmarks
import MartletBookmarksAPI
public import MartletCache
public import MartletContract
public import MartletCore
import MartletGovernanceAPI
public import MartletHTTP
import MartletIdempotency
public import MartletIdentity
import MartletIdentityAPI
public import MartletJobs
import MartletJobsAPI
import MartletJobsService
public import MartletOverload
import MartletPostgres
import MartletRateLimit
import MartletSQLite
public import MartletSecrets
public import MartletService
public import MartletSettings
public import MartletStorage
public import MartletSupervisor
public import MartletTelemetry
public import MartletWire
public import Metrics

/// The application that a set of settings makes, before it runs.
public struct App: Sendable {
    public let settings: Settings
    public let database: any Database
    public let services: [any Service]
    /// What services keep of what they computed, and the server of its answers.
    public let cache: Cache
    public let pipeline: Pipeline
    /// Who did what; see `martlet audit`.
    public let audit: AuditLog
    /// Everything that is counted; served at `/metrics`.
    public let metrics: MetricRegistry
    /// Runs the jobs of all services.
    public let worker: JobWorker
    /// Sends traces; `nil` where nothing is traced.
    public let traceExporter: TraceExporter?
    let shared: SharedStore
    let deadlines: Deadlines
    let streams = EventStreams()
    let tail: OutboxTail
    /// How many requests are worked on, wait and were refused; `nil` where all are let in.
    public let admission: Admission?
    let denylist: Denylist
    /// Who may do everything.
    public let operators: Operators
    /// Everybody's accounts.
    public let identity: IdentityService
    let sightings: Sightings
    let draining = Draining()
    /// What this process logs, and what became of it.
    public let logs: Logs
    /// What SIGHUP reads anew, beside the certificate: whoever reads a file once adds how to read it again.
    public let reloads = Reloads()
    let logger: Logger

    /// Opens the database; throws when it cannot, or when an endpoint is declared and not served.
    ///
    /// - Parameters:
    ///   - logs: The levels that operators may change, and what is flushed at the end; `logger` is usually one of its loggers.
    ///   - clock: For what services note.
    ///   - jobClock: What decides when jobs are due; tests choose it.
    ///   - inFlight: Where requests are noted while they are served; a process has one such place, where its crash finds it.
    ///   - further: Services beside those of Martlet, made with its database. Their endpoints are served, but not in ``operations``.
    public init(
        _ settings: Settings, logger: Logger, logs: Logs = Logs(), clock: WallClock = .system, jobClock: JobClock = .database,
        inFlight: InFlight? = nil,
        further: @Sendable (any Database) -> [any Service] = { _ in [] }
    ) async throws {
        let registry = MetricRegistry()
        let metrics: any MetricsFactory = settings.metrics ? registry : NOOPMetricsHandler.instance
        let exporter = TraceExporter.Settings(settings).map { TraceExporter($0, logger: logger.named("martlet.traces")) }
        let traces = exporter.map { Traces(Traces.Settings(settings), exporter: $0) }
        let engine = try Self.database(at: settings.databaseURL, settings, logger: logger.named("martlet.database"), metrics: metrics)
        let database: any Database = traces == nil ? engine : TracedDatabase(engine)
        let shared = try SharedStore(settings, isTraced: traces != nil, logger: logger)
        let jobs = Jobs(clock: jobClock)
        // Access that another instance ends must end here within a second. Where others are heard, looking is for what was not: together
        // with the worker that is less than one query a second of an idle instance.
        let hearsOthers = database.announcements.reachOtherProcesses
        let tail = OutboxTail(database, pollEvery: hearsOthers ? .seconds(3) : .milliseconds(750), logger: logger.named("martlet.outbox"))
        let cache = Cache(
            memory: MemoryTier(bytes: settings.cacheMemory), shared: shared.cacheTier, tail: tail,
            settings: Cache.Settings(wait: settings.cacheSharedTimeout), logger: logger.named("martlet.cache"))
        let audit = AuditLog(database, keys: AuditKeys(settings), clock: clock, logger: logger.named("martlet.audit"))
        let auditing = AuditService(database, keys: AuditKeys(settings), retention: settings.auditRetention, clock: clock)
        let work = JobsService(database, tail: tail, clock: jobClock, retention: JobRetention(settings), audit: audit)
        let answers = KeptAnswers(database, retention: settings.idempotencyRetention)
        let bookmarks = BookmarksService(database: database, jobs: jobs, clock: clock)
        let admin = AdminService(logs: logs, audit: audit, logger: logger.named("martlet.admin"), clock: clock)
        let identity = try await IdentityService(
            database: database, tail: tail, policy: IdentityPolicy(settings), audit: audit, secrets: SecretBox(settings), roles: Self.roles,
            mail: AccountMail(settings, jobs: jobs, clock: clock, logger: logger.named("martlet.mail")),
            delays: LoginDelays(settings, shared), metrics: metrics, clock: clock, logger: logger.named("martlet.identity"))
        let others: [any Service] = [work, auditing, admin, bookmarks] + further(database)
        let profile = ProfileService(
            identity, data: ([identity] + others).flatMap(\.personalData) + answers.personalData, jobs: jobs, clock: clock)
        let health = InstanceHealth(settings, database, shared, cache, draining)

        self.settings = settings
        self.logs = logs
        self.logger = logger
        self.metrics = registry
        self.database = database
        self.audit = audit
        traceExporter = exporter
        self.shared = shared
        self.tail = tail
        denylist = identity.denylist
        operators = identity.operators
        self.identity = identity
        sightings = identity.sightings
        self.cache = cache
        services = [identity, profile] + others
        deadlines = Deadlines(tick: min(.milliseconds(100), settings.requestTimeout / 4))
        admission = Admission(settings)
        for service in services { try service.checkRoutes() }
        worker = JobWorker(
            database, jobs: jobs, handlers: services.flatMap(\.jobs) + answers.jobs + (settings.testRoutes ? [TestErrand.handler] : []),
            schedules: services.flatMap(\.schedules) + answers.schedules,
            queues: [JobQueue(JobQueue.standard.name, concurrency: settings.jobsConcurrency)]
                + (settings.testRoutes ? [TestErrand.queue] : [])
                + services.flatMap(\.queues),
            settings: JobWorker.Settings(settings), traces: traces, metrics: metrics, logger: logger.named("martlet.jobs"))
        pipeline = Pipeline(
            routes: services.flatMap(\.routes) + systemRoutes(settings, database, jobs, health)
                + (MetricsPage(settings, registry)?.routes ?? []) + SetupPage(identity).routes,
            authenticator: identity.authenticator,
            policy: HTTPPolicy(settings), deadlines: deadlines, streams: streams,
            limits: RateLimits(settings, shared.limiter, metrics),
            responses: ResponseCache(cache, showsSource: settings.environment != .production), admission: admission, inFlight: inFlight,
            onRefusal: RefusalHook { audit.noteRefusal(of: $0, to: $1) },
            metrics: metrics, traces: traces.map { RequestTraces($0, settings) }, logger: logger.named("martlet.http"))
        reloads.add("log levels") { try logs.reload() }
        reloads.add("token keys") { try identity.reloadKeys() }
        draining.onBegin { [streams] in streams.end() }
        watchEverything(BacklogWatch(database, clock: jobClock, queues: worker.queueNames))
    }

    /// Opens the database at a URL; throws `unavailable` when its file cannot be opened or its URL not be read. A server need not be there yet.
    public static func database(
        at url: DatabaseURL, _ settings: Settings, logger: Logger, metrics: any MetricsFactory = NOOPMetricsHandler.instance
    ) throws -> any Database {
        switch url {
        case .sqlite(let path): try SQLiteDatabase(path: path, settings: SQLiteSettings(settings), logger: logger, metrics: metrics)
        case .postgres(let url):
            try PostgresDatabase(url: url.unsafeReveal(), settings: PostgresSettings(settings), logger: logger, metrics: metrics)
        }
    }

    /// Every endpoint, in the order of the documentation.
    public static let operations =
        AccountsAPI.operations + ProfileAPI.operations + PasswordsAPI.operations + EmailsAPI.operations + SessionsAPI.operations
        + APIKeysAPI.operations + MFAAPI.operations + KeysAPI.operations + OrganisationsAPI.operations + RolesAPI.operations
        + UsersAPI.operations + SetupAPI.operations + JobsAPI.operations + AuditAPI.operations + AdminAPI.operations
        + BookmarksAPI.operations + SystemAPI.operations

    /// Every permission that endpoints ask for, and which built-in roles have it.
    public static let permissions =
        RolesAPI.permissions + UsersAPI.permissions + JobsAPI.permissions + AuditAPI.permissions + AdminAPI.permissions
        + BookmarksAPI.permissions + GovernanceAPI.permissions + SystemAPI.permissions
    public static let roles = RoleCatalogue(permissions)

    /// The OpenAPI description of all of them.
    public static var openAPI: String {
        OpenAPI(title: "Martlet", version: version, operations: operations).document()
    }

    public static let version = "0.1.0"

    /// The schema of all services.
    public var migrator: Migrator { Migrator(database, Self.migrations) }

    /// Where sealed values are stored, for their rotation.
    public static let sealedColumns = IdentityService.sealedColumns

    /// The schema of all services, and the tables that it makes, each after those it refers to.
    public static let migrations =
        Outbox.migrations + KeptAnswers.migrations + IdentityService.migrations + AuditService.migrations + JobsService.migrations
        + BookmarksService.migrations
    public static let tables =
        Outbox.tables + KeptAnswers.tables + IdentityService.tables + AuditService.tables + JobsService.tables
        + BookmarksService.tables
}

private func systemRoutes(_ settings: Settings, _ database: any Database, _ jobs: Jobs, _ health: InstanceHealth) -> [Route] {
    let docs = DocsPage(document: App.openAPI, assets: settings.documentationAssets)
    return SystemAPI.routes(health) + (settings.apiDocumentation ? docs.routes : [])
        + (settings.testRoutes ? TestAPI.routes(database, jobs) : [])
}
