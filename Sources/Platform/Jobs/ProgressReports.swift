import MartletCore
import MartletJobsAPI
import MartletStorage
import Synchronization

/// The latest reports of running jobs, written together a few times a second.
final class ProgressDesk: Sendable {
    private let latest = Mutex<[Identifier<JobRecord>: JobEvent]>([:])

    fileprivate func put(_ event: JobEvent, of job: Identifier<JobRecord>) {
        latest.withLock { $0[job] = event }
    }

    /// The job has ended: what it reported last is not news any more.
    func drop(_ job: Identifier<JobRecord>) {
        _ = latest.withLock { $0.removeValue(forKey: job) }
    }

    /// Writes what has come since the last time.
    func flush(to database: any Database) async throws {
        let reports = latest.withLock { latest in
            defer { latest = [:] }
            return latest
        }
        guard !reports.isEmpty else { return }
        let entries = reports.map { (key: $0.key.description, payload: $0.value) }
        try await database.transaction(isolation: .readCommitted) { try await Outbox.append(JobRegister.eventTopic, entries, in: $0) }
    }
}

/// What one attempt tells of its progress.
struct ProgressReports: Sendable {
    let desk: ProgressDesk
    let job: Identifier<JobRecord>
    /// Jobs without an owner are watched by nobody.
    let isWatched: Bool

    /// Tells that an attempt has begun.
    func begin() {
        if isWatched { desk.put(JobEvent(state: .running), of: job) }
    }

    func report(_ part: Double, _ message: String?) {
        guard isWatched else { return }
        let part = part.isFinite ? min(1, max(0, part)) : nil
        desk.put(JobEvent(state: .running, progress: part, message: message?.kept(upTo: 500)), of: job)
    }
}
