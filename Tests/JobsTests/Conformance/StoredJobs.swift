import Foundation
import MartletCore
import MartletJobs
import MartletJobsAPI
import MartletStorage

/// A job's row, as tests look at it.
struct StoredJob: Decodable, Sendable {
    let id: Identifier<JobRecord>
    let state: JobState
    let attempt: Int
    let payload: String
    let errors: String
    let runAt: Date

    static let columns: SQL = "id, state, attempt, payload, errors, run_at"

    /// What tests name their jobs by.
    var name: String {
        get throws {
            struct Named: Decodable { let name: String }
            return try JSONDecoder().decode(Named.self, from: Data(payload.utf8)).name
        }
    }

    struct Reason: Decodable { let attempt: Int, reason: String }

    var reasons: [Reason] {
        get throws { try JSONDecoder().decode([Reason].self, from: Data(errors.utf8)) }
    }
}

extension Instance {
    /// Every job there is, in the order of their enqueuing.
    var stored: [StoredJob] {
        get async throws { try await database.all(StoredJob.self, "SELECT \(StoredJob.columns) FROM job ORDER BY id") }
    }

    /// What tests named them.
    var names: [String] {
        get async throws { try await stored.map { try $0.name } }
    }

    func stored(_ id: Identifier<JobRecord>) async throws -> StoredJob {
        try await database.one(
            StoredJob.self, "SELECT \(StoredJob.columns) FROM job WHERE id = \(id)", else: .notFound("job_not_found", "It is gone."))
    }

    func count(of state: JobState) async throws -> Int {
        try await database.first(Int.self, "SELECT count(*) FROM job WHERE state = \(state)") ?? 0
    }

    /// The identities under which workers hold leases.
    var workers: [UUID] {
        get async throws { try await database.all(UUID.self, "SELECT id FROM job_worker ORDER BY id") }
    }
}
