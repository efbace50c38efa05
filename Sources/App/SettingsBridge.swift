import Foundation
import Logging
public import MartletAudit
import MartletContract
import MartletCore
import MartletHTTP
import MartletIdentity
import MartletJobs
import MartletMail
import MartletOverload
import MartletPostgres
import MartletRateLimit
import MartletRedis
import MartletSQLite
public import MartletSecrets
public import MartletSettings
import MartletTelemetry
import MartletWire
import Metrics
import NIOCore

// What each part of the platform takes from the settings.

extension SQLiteSettings {
    init(_ settings: Settings) {
        self.init(
            synchronous: settings.sqliteSynchronous == .full ? .full : .normal, busyTimeout: settings.databaseTimeout,
            readers: settings.sqliteReaders,
            slowStatement: settings.slowStatement, transactionTimeout: settings.databaseTimeout)
    }
}

extension PostgresSettings {
    init(_ settings: Settings) {
        self.init(
            poolSize: settings.databasePoolSize, maxOverflow: settings.databaseMaximumOverflow, pipelines: settings.databasePipelines,
            timeout: settings.databaseTimeout, maxWaiting: settings.databaseMaximumWaiting,
            connectTimeout: settings.databaseConnectTimeout, statementTimeout: settings.databaseStatementTimeout,
            lockTimeout: settings.databaseLockTimeout, idleTransactionTimeout: settings.databaseIdleTransactionTimeout,
            maxLifetime: settings.databaseMaximumLifetime, idleTimeout: settings.databaseIdleTimeout,
            preparedStatements: settings.databasePreparedStatements, applicationName: settings.databaseApplicationName,
            slowStatement: settings.slowStatement)
    }
}

extension RedisSettings {
    init(_ settings: Settings) {
        self.init(
            connections: settings.redisConnections, timeout: settings.redisTimeout, connectTimeout: settings.redisConnectTimeout)
    }
}

extension JobWorker.Settings {
    /// Running jobs are returned a moment before everything has to end.
    init(_ settings: Settings) {
        self.init(lease: settings.jobsLease, grace: settings.drainDelay + settings.shutdownTimeout * 0.8)
    }
}

extension JobRetention {
    init(_ settings: Settings) {
        self.init(finished: settings.jobsRetention, dead: settings.jobsDeadRetention)
    }
}

extension AuditKeys {
    public init(_ settings: Settings) {
        self.init(
            secret: settings.secretKey.unsafeRevealBytes(), previous: (settings.previousSecretKeys ?? []).map { $0.unsafeRevealBytes() })
    }
}

extension IdentityPolicy {
    init(_ settings: Settings) {
        self.init(
            hashing: Hashing(
                memoryKiB: UInt32(settings.argon2Memory), iterations: UInt32(settings.argon2Iterations),
                lanes: UInt32(settings.argon2Parallelism),
                concurrency: settings.argon2Concurrency),
            tokens: Tokens(
                signingSecret: settings.jwtSecretKey.unsafeRevealBytes(), derivationSecret: settings.secretKey.unsafeRevealBytes(),
                issuer: settings.jwtIssuer, audience: settings.jwtAudience, lifetime: settings.jwtExpiration),
            cookies: Cookies(areSecure: settings.cookieSecure, origins: settings.cookieOrigins),
            refreshLifetime: settings.refreshExpiration, refreshGrace: settings.refreshGrace,
            sessionsPerAccount: settings.sessionsPerAccount, mfaRequiredRoles: settings.mfaRequiredRoles)
        acceptTokens(settings)
    }
}

extension SecretBox {
    /// The one that `SECRET_KEY` and `PREVIOUS_SECRET_KEYS` make.
    public init(_ settings: Settings) {
        self.init(
            current: settings.secretKey.unsafeRevealBytes(), previous: (settings.previousSecretKeys ?? []).map { $0.unsafeRevealBytes() })
    }
}

extension AccountMail {
    /// `nil` where no mail is sent. Outside development and test the settings name a public address and a sender.
    init?(_ settings: Settings, jobs: Jobs, clock: WallClock, logger: Logger) {
        guard let sender = settings.mailSender ?? Mailbox("martlet@localhost.localdomain") else { return nil }
        let mailer: any Mailer
        switch settings.mailURL {
        case .nowhere: return nil
        case .log: mailer = LogMailer(logger)
        case .folder(let path): mailer = FolderMailer(folder: path, sender: sender, logger: logger, clock: clock)
        case .server(let url): mailer = SMTPMailer(SMTPServer(url, timeout: settings.mailTimeout), sender: sender, clock: clock)
        }
        self.init(mailer, site: settings.publicURL?.description ?? "http://\(settings.host):\(settings.port)", jobs: jobs)
    }
}

extension SMTPServer {
    init(_ url: MailServerURL, timeout: Duration) {
        let encryption: Encryption = url.isEncryptedAtOnce ? .implicit : url.isLoopback ? .none : .startTLS
        self.init(
            host: url.host, port: url.port, encryption: encryption, login: url.login, authorities: url.authorities, timeout: timeout)
    }
}

extension MailServerURL {
    fileprivate var login: (@Sendable () -> (user: String, password: String))? {
        guard let login = unsafeRevealLogin() else { return nil }
        return { login }
    }
}

extension HTTPPolicy {
    init(_ settings: Settings) {
        self.init(
            requestTimeout: settings.requestTimeout, maximumBodyBytes: settings.maximumBodySize,
            cors: CORS(
                origins: settings.corsOrigins.names, allowsCredentials: settings.corsCredentials,
                maximumAgeSeconds: Int(settings.corsMaximumAge.components.seconds)),
            compression: Compression(isEnabled: settings.compression, minimumBytes: settings.compressionMinimumSize),
            servesTLS: settings.tlsCertificateFile != nil, trustsForwardedProto: settings.trustForwardedProto,
            proxies: TrustedProxies(settings.trustedProxies))
    }
}

extension RateLimits {
    init?(_ settings: Settings, _ limiter: any RateLimiter, _ metrics: any MetricsFactory) {
        guard settings.rateLimits else { return nil }
        func rule(_ rate: CallRate, _ fallback: Settings.LimitFallback?) -> Rule {
            Rule(Rate(rate.calls, per: rate.period), fallback: LimitFallback(fallback ?? settings.rateFallback))
        }
        self.init(
            limiter,
            rules: [
                .reads: rule(settings.readsRate, settings.readsFallback), .writes: rule(settings.writesRate, settings.writesFallback),
                .login: rule(settings.loginRate, settings.loginFallback), .costly: rule(settings.costlyRate, settings.costlyFallback),
            ], metrics: metrics)
    }
}

extension LoginDelays {
    /// `nil` where nothing is limited.
    init?(_ settings: Settings, _ shared: SharedStore) {
        guard settings.rateLimits else { return nil }
        self.init(failures: shared.failures, limiter: shared.limiter)
    }
}

extension Admission {
    /// Some more requests than cores are always worked on, or the cores would be idle whenever one of them waits for something. A server that
    /// was just started knows nothing yet: it begins with a few times as many, and soon has more where they wait for others than itself.
    convenience init?(_ settings: Settings) {
        guard settings.overloadProtection else { return nil }
        let floor = max(4, 2 * System.coreCount)
        self.init(AdmissionLimits(floor: floor, ceiling: settings.maximumInFlight, start: 4 * floor))
    }
}

extension LimitFallback {
    init(_ setting: Settings.LimitFallback) {
        switch setting {
        case .local: self = .local
        case .open: self = .open
        case .closed: self = .closed
        }
    }
}

extension TraceExporter.Settings {
    /// `nil` where nothing is to be traced.
    init?(_ settings: Settings) {
        guard let collector = settings.collectorURL else { return nil }
        let resource = TraceResource(
            service: settings.serviceName, version: App.version, environment: settings.environment.rawValue, instance: UUID().uuidString)
        self.init(
            url: collector.address(of: "/v1/traces"), fields: settings.collectorFields?.unsafeReveal() ?? [], resource: resource,
            interval: settings.traceDelay)
    }
}

extension Traces.Settings {
    init(_ settings: Settings) {
        self.init(ratio: settings.traceRatio, slow: settings.traceSlow, parents: ParentTrust(settings.traceParents))
    }
}

extension ParentTrust {
    init(_ setting: Settings.TraceParents) {
        switch setting {
        case .continue: self = .continue
        case .trust: self = .trust
        case .ignore: self = .ignore
        }
    }
}

extension RequestTraces {
    init(_ traces: Traces, _ settings: Settings) {
        let isSecure = settings.publicURL.map { $0.scheme == "https" } ?? (settings.tlsCertificateFile != nil)
        self.init(
            traces, address: settings.publicURL?.host ?? settings.host,
            port: settings.publicURL.map { $0.port ?? (isSecure ? 443 : 80) } ?? settings.port, isSecure: isSecure)
    }
}

extension WireLimits {
    init(_ settings: Settings) {
        self.init()
        headerTimeout = settings.headerTimeout
        idleTimeout = settings.idleTimeout
        bodyTimeout = settings.bodyTimeout
        writeStallTimeout = settings.writeStallTimeout
        maxHeaderBytes = settings.maximumHeaderSize
        maxConnections = settings.maximumConnections
        maxConnectionsPerAddress = settings.maximumConnectionsPerAddress
        maxDeclaredBody = max(App.operations.compactMap(\.operation.body.maximumBytes).max() ?? 0, settings.maximumBodySize)
    }
}

extension WireTLS {
    init?(_ settings: Settings) {
        guard let certificate = settings.tlsCertificateFile, let key = settings.tlsPrivateKeyFile else { return nil }
        self.init(certificateChainFile: certificate, privateKeyFile: key, http2: settings.http2)
    }
}

extension Settings {
    fileprivate var cookieOrigins: [String] {
        (self.publicURL.map { [$0.description] } ?? []) + self.corsOrigins.names.filter { $0 != "*" }
    }
}

extension CrossOrigins {
    fileprivate var names: [String] {
        switch self {
        case .all: ["*"]
        case .only(let origins): origins.map(\.description)
        }
    }
}
