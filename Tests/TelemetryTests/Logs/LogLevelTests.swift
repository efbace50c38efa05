import Logging
import Synchronization
import Testing

@testable import MartletTelemetry

@Suite("Log levels")
struct LevelsOfLogs {
    @Test(arguments: [
        ("martlet", Logger.Level.info), ("martlet.jobs", .debug), ("martlet.jobs.lease", .error), ("martlet.jobs.lease.renewal", .error),
        ("martlet.jobsworth", .info), ("other", .info),
    ])
    func theLongestLabelDecides(label: String, level: Logger.Level) {
        #expect(LogLevelRules(standard: .info, labels: ["martlet.jobs": .debug, "martlet.jobs.lease": .error]).level(of: label) == level)
    }

    @Test func aChangeCountsMoreThanTheSettingsUntilItsTime() {
        var table = LogLevelTable(LogLevelRules(labels: ["martlet.jobs": .warning]))
        let start = ContinuousClock.now
        table.change(["martlet.jobs": .trace], until: start + .seconds(10))
        table.change(["martlet.http": .debug], until: start + .seconds(20))
        #expect(table.level(of: "martlet.jobs") == .trace)
        table.expire(at: start + .seconds(9))
        #expect(table.level(of: "martlet.jobs") == .trace)
        table.expire(at: start + .seconds(10))
        #expect(table.level(of: "martlet.jobs") == .warning)
        #expect(table.level(of: "martlet.http") == .debug)
    }

    @Test func loggersFollowAChangeAndItsEndByThemselves() {
        let time = ManualTime()
        let levels = LogLevels(LogLevelRules(), timer: time.timer)
        let logger = Logs(levels, []).logger("martlet.jobs")
        #expect(logger.logLevel == .info)
        levels.change(["martlet.jobs": .debug], for: .seconds(60))
        #expect(logger.logLevel == .debug)
        #expect(levels.changes == ["martlet.jobs": .init(level: .debug, remaining: .seconds(60))])
        time.pass(.seconds(59))
        #expect(logger.logLevel == .debug)
        time.pass(.seconds(1))
        #expect(logger.logLevel == .info)
        #expect(levels.changes.isEmpty)
    }

    @Test func aChangeThatWasMadeLongerDoesNotEndWithTheFirst() {
        let time = ManualTime()
        let levels = LogLevels(LogLevelRules(), timer: time.timer)
        levels.change(["a": .debug], for: .seconds(10))
        levels.change(["a": .trace], for: .seconds(20))
        time.pass(.seconds(10))
        #expect(levels.level(of: "a") == .trace)
    }

    @Test func takingChangesBackIsAtOnce() {
        let levels = LogLevels()
        let logger = Logs(levels, []).logger("a")
        levels.change(["a": .trace], for: .seconds(3600))
        levels.reset()
        #expect(logger.logLevel == .info)
    }

    @Test func newSettingsReachLoggersThatAreThere() {
        let levels = LogLevels()
        let logger = Logs(levels, []).logger("a.b")
        levels.configure(LogLevelRules(standard: .error, labels: ["a": .notice]))
        #expect(logger.logLevel == .notice)
    }

    @Test func aLevelThatALoggerWasGivenIsItsOwn() {
        let logs = Logs()
        var logger = logs.logger("a")
        logger.logLevel = .critical
        logs.levels.change(["a": .trace], for: .seconds(60))
        #expect(logger.logLevel == .critical)
        #expect(logs.logger("a").logLevel == .trace)
    }
}

/// Time that passes when it is told to.
private final class ManualTime: Sendable {
    private struct State {
        var now = ContinuousClock.now
        var due: [(at: ContinuousClock.Instant, work: @Sendable () -> Void)] = []
    }

    private let state = Mutex(State())

    var timer: LevelTimer {
        LevelTimer(now: { self.state.withLock { $0.now } }) { duration, work in
            self.state.withLock { $0.due.append(($0.now + duration, work)) }
        }
    }

    func pass(_ duration: Duration) {
        let due = state.withLock { state in
            state.now += duration
            defer { state.due.removeAll { $0.at <= state.now } }
            return state.due.filter { $0.at <= state.now }
        }
        for (_, work) in due { work() }
    }
}
