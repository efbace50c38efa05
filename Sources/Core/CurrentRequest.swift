/// The request that the current task works for, wherever a log line wants to name it.
public enum CurrentRequest {
    @TaskLocal public static var id: String?
    /// Who asked, and from where. What nobody asked for, as a job of the clock, is the program's own.
    @TaskLocal public static var origin = Origin(.program)
}

/// Who asked for something, and from where.
public struct Origin: Sendable, Hashable {
    public enum Initiator: Sendable, Hashable {
        case account(Identifier<Account>)
        /// A caller who is not signed in.
        case anonymous
        /// Whoever runs commands on the machine.
        case console
        /// The server by itself.
        case program
    }

    public let initiator: Initiator
    /// Of a caller: the peer, or whom a trusted proxy asks for.
    public let address: IPAddress?

    public init(_ initiator: Initiator, at address: IPAddress? = nil) { (self.initiator, self.address) = (initiator, address) }
}
