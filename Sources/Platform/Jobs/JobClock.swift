public import MartletCore
import MartletStorage

/// What time it is for jobs: the database's, since the clocks of instances differ.
public struct JobClock: Sendable {
    private let fixed: WallClock?

    public static let database = JobClock(fixed: nil)

    /// Tests choose the time.
    public static func chosen(_ clock: WallClock) -> JobClock { JobClock(fixed: clock) }

    var now: SQL {
        guard let fixed else { return .clock }
        return "\(fixed.now)\(SQL(sqlite: "", postgres: "::timestamptz"))"
    }

    /// When the transaction began, where the engine tells: what its snapshot is compared with.
    var begun: SQL { fixed == nil ? .now : now }

    func now(plus duration: Duration) -> SQL { .moment(now, plus: duration) }
}
