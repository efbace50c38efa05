public import Logging
import Synchronization

/// The levels of one process, changeable while it runs; a change ends by itself.
///
/// Asking whether a line is wanted reads one atomic number: each label has a cell that a change writes to.
public final class LogLevels: Sendable {
    /// A change, and how long it goes on.
    public struct Change: Sendable, Equatable {
        public let level: Logger.Level
        /// More than nothing.
        public let remaining: Duration
    }

    private struct State {
        var table: LogLevelTable
        var cells: [String: LevelCell] = [:]
    }

    private let state: Mutex<State>
    private let timer: LevelTimer

    public convenience init(_ configured: LogLevelRules = LogLevelRules()) { self.init(configured, timer: .system) }

    init(_ configured: LogLevelRules, timer: LevelTimer) {
        state = Mutex(State(table: LogLevelTable(configured)))
        self.timer = timer
    }

    /// What the settings say.
    public var configured: LogLevelRules { state.withLock { $0.table.configured } }

    /// What differs from the settings at the moment, by label.
    public var changes: [String: Change] {
        expire()
        let now = timer.now()
        return state.withLock { $0.table.changes.mapValues { Change(level: $0.level, remaining: now.duration(to: $0.expiry)) } }
    }

    /// The level of a logger.
    public func level(of label: String) -> Logger.Level { state.withLock { $0.table.level(of: label) } }

    /// Changes the levels of labels, and of all loggers below them, for a while. Safe to repeat: the last change of a label counts.
    public func change(_ levels: [String: Logger.Level], for duration: Duration) {
        let expiry = timer.now().advanced(by: duration)
        update { $0.change(levels, until: expiry) }
        timer.after(duration) { [weak self] in self?.expire() }
    }

    /// Takes all changes back at once.
    public func reset() { update { $0.reset() } }

    /// Sets what the settings say now; changes stay until their time.
    public func configure(_ rules: LogLevelRules) { update { $0.configured = rules } }

    private func expire() {
        let now = timer.now()
        update { $0.expire(at: now) }
    }

    private func update(_ change: (inout LogLevelTable) -> Void) {
        state.withLock { state in
            change(&state.table)
            for (label, cell) in state.cells { cell.level = state.table.level(of: label) }
        }
    }

    /// The cell that all loggers of a label share.
    func cell(of label: String) -> LevelCell {
        state.withLock { state in
            if let cell = state.cells[label] { return cell }
            let cell = LevelCell(state.table.level(of: label))
            state.cells[label] = cell
            return cell
        }
    }
}

/// A level that many read and seldom one writes.
final class LevelCell: Sendable {
    private static let levels = Logger.Level.allCases
    private let index: Atomic<Int>

    init(_ level: Logger.Level) { index = Atomic(Self.index(of: level)) }

    var level: Logger.Level {
        get { Self.levels[index.load(ordering: .relaxed)] }
        set { index.store(Self.index(of: newValue), ordering: .relaxed) }
    }

    private static func index(of level: Logger.Level) -> Int { levels.firstIndex(of: level) ?? 0 }
}

/// What time it is, and what is to be done later; tests have their own.
struct LevelTimer: Sendable {
    var now: @Sendable () -> ContinuousClock.Instant
    var after: @Sendable (Duration, @escaping @Sendable () -> Void) -> Void

    static let system = LevelTimer(now: { .now }) { duration, work in
        Task {
            // Nothing cancels this sleep: it ends by itself.
            try? await Task.sleep(for: duration)
            work()
        }
    }
}
