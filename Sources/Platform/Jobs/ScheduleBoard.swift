import Foundation
import MartletStorage
import Synchronization

/// The schedules of the program, fired once over all instances: whoever moves a schedule's last firing on enqueues its job.
final class ScheduleBoard: Sendable {
    private let database: any Database
    private let jobs: Jobs
    private let schedules: [ScheduledJob]
    /// When each was fired last, as this process knows.
    private let fired = Mutex<[String: Date]>([:])

    init(_ database: any Database, _ jobs: Jobs, _ schedules: [ScheduledJob]) {
        (self.database, self.jobs, self.schedules) = (database, jobs, schedules)
    }

    /// Enqueues what is due at a moment of the database's time; returns whether it was, and when to look again, `nil` for never.
    func fire(at now: Date) async throws -> (hasFired: Bool, next: Date?) {
        guard !schedules.isEmpty else { return (false, nil) }
        if fired.withLock(\.isEmpty) { try await load() }
        var (hasFired, nexts) = (false, [Date]())
        for entry in schedules {
            guard let last = fired.withLock({ $0[entry.name] }) else { continue }
            let due = entry.schedule.due(since: last, now: now)
            nexts.append(due.next)
            guard !due.firings.isEmpty else { continue }
            try await fire(entry, due.firings, after: last)
            hasFired = true
        }
        return (hasFired, nexts.min())
    }

    private func fire(_ entry: ScheduledJob, _ firings: [Date], after last: Date) async throws {
        guard let newest = firings.max() else { return }
        let isOurs = try await database.transaction(isolation: .readCommitted) { transaction in
            let moved = try await transaction.change(
                "UPDATE job_schedule SET fired_at = \(newest) WHERE name = \(entry.name) AND fired_at = \(last)")
            guard moved > 0 else { return false }
            for _ in firings { try await entry.enqueue(jobs, transaction) }
            return true
        }
        // Another instance was faster: what it noted is read when the schedule is due again.
        if isOurs { fired.withLock { $0[entry.name] = newest } } else { try await load() }
    }

    /// A schedule that is new begins now.
    private func load() async throws {
        struct Row: Decodable { let name: String, firedAt: Date }
        for entry in schedules {
            try await database.change(
                "INSERT INTO job_schedule (name, fired_at) VALUES (\(entry.name), \(jobs.clock.now)) ON CONFLICT (name) DO NOTHING")
        }
        let rows = try await database.all(Row.self, "SELECT name, fired_at FROM job_schedule")
        fired.withLock { $0 = Dictionary(rows.map { ($0.name, $0.firedAt) }, uniquingKeysWith: { $1 }) }
    }
}
