/// How the PostgreSQL driver runs.
public struct PostgresSettings: Sendable {
    /// The connections that are kept.
    public var poolSize: Int
    /// The connections that are opened beyond them while more are needed, and closed afterwards.
    public var maxOverflow: Int
    /// How many connections the single reads of many requests share; one more carries inserts. With 0 every statement has its own.
    public var pipelines: Int
    /// How long to wait for a connection before `unavailable`, and how long a transaction may take.
    public var timeout: Duration
    /// How many statements and transactions may wait for a connection; further ones are refused at once as `unavailable`.
    public var maxWaiting: Int
    /// How long opening a connection may take. The library's least is 2 seconds.
    public var connectTimeout: Duration
    /// How long a statement may run before the server ends it; a little later the connection is given up.
    public var statementTimeout: Duration
    /// How long a statement may wait for a lock.
    public var lockTimeout: Duration
    /// How long a transaction may be idle before the server ends it.
    public var idleTransactionTimeout: Duration
    /// How old a connection becomes at most, give or take a tenth.
    public var maxLifetime: Duration
    /// How long an unused connection is kept.
    public var idleTimeout: Duration
    /// Whether statements are prepared once per connection. Not behind a proxy that gives every transaction another connection; the
    /// server's time limits are then not set either, since they would be other clients' too.
    public var preparedStatements: Bool
    /// What the server's lists of connections show.
    public var applicationName: String
    /// Statements that take at least this long are logged.
    public var slowStatement: Duration

    public init(
        poolSize: Int = 20, maxOverflow: Int = 10, pipelines: Int = 2, timeout: Duration = .seconds(30), maxWaiting: Int = 1000,
        connectTimeout: Duration = .seconds(5), statementTimeout: Duration = .seconds(30), lockTimeout: Duration = .seconds(10),
        idleTransactionTimeout: Duration = .seconds(60), maxLifetime: Duration = .seconds(1800), idleTimeout: Duration = .seconds(600),
        preparedStatements: Bool = true, applicationName: String = "martlet", slowStatement: Duration = .milliseconds(200)
    ) {
        self.poolSize = max(1, poolSize)
        self.maxOverflow = max(0, maxOverflow)
        self.pipelines = max(0, pipelines)
        self.timeout = timeout
        self.maxWaiting = max(1, maxWaiting)
        self.connectTimeout = connectTimeout
        self.statementTimeout = statementTimeout
        self.lockTimeout = lockTimeout
        self.idleTransactionTimeout = idleTransactionTimeout
        self.maxLifetime = maxLifetime
        self.idleTimeout = idleTimeout
        self.preparedStatements = preparedStatements
        self.applicationName = applicationName
        self.slowStatement = slowStatement
    }
}

extension PostgresSettings {
    /// How many connections read for many requests. A pool too small to share keeps all its connections for single use.
    var sharedReaders: Int { poolSize + maxOverflow < 4 ? 0 : min(pipelines, (poolSize + maxOverflow) / 2 - 1) }
}
