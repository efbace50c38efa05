/// How busy a database's connections are: what a dashboard shows of a pool.
public struct DatabaseLoad: Sendable, Hashable {
    /// Open connections, idle ones included.
    public var connections: Int
    /// Connections that serve a call at this moment.
    public var inUse: Int
    /// Calls that wait for a connection, or for their turn to write.
    public var waiting: Int
    /// Those of them that are served one at a time. The others go together: the next group that is written takes them along.
    public var queued: Int
    /// How many calls have had to wait since the start, those that wait now included.
    public var waited: Int
    /// How many calls have been refused since the start because too many were waiting.
    public var refused: Int
    /// How long the calls that wait no more have waited since the start, all together.
    public var waitedTime: Duration

    public init(
        connections: Int = 0, inUse: Int = 0, waiting: Int = 0, queued: Int = 0, waited: Int = 0, refused: Int = 0,
        waitedTime: Duration = .zero
    ) {
        (self.connections, self.inUse, self.waiting, self.queued) = (connections, inUse, waiting, queued)
        (self.waited, self.refused, self.waitedTime) = (waited, refused, waitedTime)
    }
}

extension DatabaseLoad {
    /// The load of two sets of connections together.
    public static func + (left: DatabaseLoad, right: DatabaseLoad) -> DatabaseLoad {
        DatabaseLoad(
            connections: left.connections + right.connections, inUse: left.inUse + right.inUse, waiting: left.waiting + right.waiting,
            queued: left.queued + right.queued, waited: left.waited + right.waited, refused: left.refused + right.refused,
            waitedTime: left.waitedTime + right.waitedTime)
    }
}
