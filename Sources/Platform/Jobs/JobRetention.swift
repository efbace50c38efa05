/// How long ended jobs are kept.
public struct JobRetention: Sendable {
    public var finished: Duration
    public var dead: Duration
    /// How long a listener may be away and still hear of everything that happened meanwhile.
    public var events: Duration

    public init(finished: Duration = .seconds(7 * 86_400), dead: Duration = .seconds(30 * 86_400), events: Duration = .seconds(86_400)) {
        (self.finished, self.dead, self.events) = (finished, dead, events)
    }
}
