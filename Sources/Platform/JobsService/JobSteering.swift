public import MartletAudit
import MartletAuditAPI
public import MartletCore
public import MartletJobs
public import MartletJobsAPI

/// Anybody's jobs, steered by operators: that they did it is in the audit log, by the same commit.
public struct JobSteering: Sendable {
    private let register: JobRegister
    private let audit: AuditLog

    public init(_ register: JobRegister, audit: AuditLog) {
        (self.register, self.audit) = (register, audit)
    }

    /// Cancels a job; one that has ended stays as it is. Safe to repeat. Throws `notFound` when there is no such job.
    public func cancel(_ id: Identifier<JobRecord>) async throws {
        try await register.cancel(id) { try await audit.record(AuditEvent(.jobCancelled, on: .of("job", id)), in: $0) }
    }

    /// Begins a dead or cancelled job anew. Throws `conflict` for any other, `notFound` when there is no such job.
    public func retry(_ id: Identifier<JobRecord>) async throws {
        try await register.retry(id) { try await audit.record(AuditEvent(.jobRetried, on: .of("job", id)), in: $0) }
    }
}

extension AuditAction {
    static let jobCancelled = AuditAction("job.cancelled")
    static let jobRetried = AuditAction("job.retried")
}
