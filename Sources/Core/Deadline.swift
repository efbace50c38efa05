/// Until when the work of the current task is of use to whoever asked for it.
///
/// The pipeline sets it for each request; what waits or begins something (statements, connections, commands of a cache) looks at it and
/// does not begin what nobody waits for any more. Work already begun is ended by cancelling its task, not by this. Work that outlives
/// its request runs ``without(_:)``, since a `Task` inherits it.
public enum Deadline {
    /// The moment; `nil` for work that may take as long as it takes.
    @TaskLocal public static var current: ContinuousClock.Instant?

    /// Whether it has passed.
    public static var hasPassed: Bool {
        guard let current else { return false }
        return current <= .now
    }

    /// Throws ``exceeded`` when it has passed; to be called before something is begun.
    public static func check() throws(Failure) {
        if hasPassed { throw exceeded }
    }

    /// Runs `body` with no deadline; tasks made in it have none either.
    public static func without<Result>(_ body: () throws -> Result) rethrows -> Result {
        try $current.withValue(nil, operation: body)
    }

    /// What work is answered with that was not done in time.
    public static let exceeded = Failure(.timeout, "deadline_exceeded", "This took longer than allowed.")
}
