import MartletCore

/// Why a command has no answer. Printing it shows nothing of commands, values or passwords.
enum RedisOutage: Error, Hashable, CustomStringConvertible {
    /// There is no connection at the moment, and another attempt is under way or due.
    case away
    /// No answer came in time.
    case silent
    /// The connection ended, or could not be opened.
    case lost
    /// What arrived is not RESP, or answers nothing.
    case nonsense(RESPFault)
    /// Too many commands wait already.
    case full
    case closed
    /// The server refused what begins every connection, with this code.
    case refused(code: String)
    /// What the client has to do on a new connection failed.
    case unprepared

    var description: String {
        switch self {
        case .away: "there is no connection"
        case .silent: "no answer came in time"
        case .lost: "the connection was lost or refused"
        case .nonsense(let fault): "the server does not speak RESP: \(fault)"
        case .full: "too many commands are waiting"
        case .closed: "the client is closed"
        case .refused(let code): "the server refused the connection: \(code)"
        case .unprepared: "a new connection could not be prepared"
        }
    }

    var failure: Failure { Self.failure(cause: self) }

    static func failure(cause: any Error) -> Failure {
        .unavailable("redis_unavailable", "Redis cannot be reached.", cause: cause)
    }
}
