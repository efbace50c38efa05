/// How the Redis client runs.
public struct RedisSettings: Sendable {
    /// How many connections all callers share. Messages take one more, while somebody hears them.
    public var connections: Int
    /// How long a command may take before it fails and its connection is closed.
    public var timeout: Duration
    /// How long opening a connection may take, with all that is said in the beginning; and preparing it, once more.
    public var connectTimeout: Duration
    /// How many commands may await their answers; further ones are refused at once as `unavailable`.
    public var maxWaiting: Int
    /// What the server's list of connections shows; letters without spaces.
    public var clientName: String
    /// The file (PEM) with the certificates that are trusted instead of the system's; also as `ca_file` in the URL.
    public var authorityFile: String?

    public init(
        connections: Int = 2, timeout: Duration = .seconds(1), connectTimeout: Duration = .seconds(2), maxWaiting: Int = 10_000,
        clientName: String = "martlet", authorityFile: String? = nil
    ) {
        self.connections = max(1, connections)
        self.timeout = timeout
        self.connectTimeout = connectTimeout
        self.maxWaiting = max(1, maxWaiting)
        self.clientName = clientName
        self.authorityFile = authorityFile
    }

    var limits: Core.Limits {
        Core.Limits(connections: connections, waiting: maxWaiting, timeout: timeout, connectTimeout: connectTimeout)
    }
}
