public import Foundation
public import MartletContract
public import MartletCore

/// The entity of identifiers that name a job.
public enum JobRecord {}

/// How far a job is, for those who may see it.
public struct JobStatus: Codable, Sendable, Equatable {
    public var id: Identifier<JobRecord>
    /// The stored name of its kind, such as `bookmarks.import`.
    public var kind: String
    public var state: JobState
    /// The part that is done, between 0 and 1; absent until the job reports it.
    public var progress: Double?
    public var message: String?
    /// How often it was begun.
    public var attempt: Int
    /// What it was done for, once it is done.
    public var result: JSON?
    /// Why the last attempt failed.
    public var error: String?
    public var createdAt: Date
    public var startedAt: Date?
    public var finishedAt: Date?

    public init(
        id: Identifier<JobRecord>, kind: String, state: JobState, progress: Double? = nil, message: String? = nil, attempt: Int,
        result: JSON? = nil, error: String? = nil, createdAt: Date, startedAt: Date? = nil, finishedAt: Date? = nil
    ) {
        self.id = id
        self.kind = kind
        self.state = state
        self.progress = progress
        self.message = message
        self.attempt = attempt
        self.result = result
        self.error = error
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
    }
}

/// Where a job is between its enqueuing and its end.
public enum JobState: String, Codable, Sendable, CaseIterable {
    /// Not due yet: scheduled for later, snoozed, or failed and to be tried again.
    case waiting
    /// Due: the next free worker takes it.
    case ready
    case running
    case done
    case cancelled
    /// Given up, with its errors kept: a dead letter.
    case dead

    public var isFinished: Bool { self == .done || self == .cancelled || self == .dead }
}

/// Something that happened to a job.
public struct JobEvent: Codable, Sendable, Equatable {
    public var state: JobState
    public var progress: Double?
    public var message: String?

    public init(state: JobState, progress: Double? = nil, message: String? = nil) {
        self.state = state
        self.progress = progress
        self.message = message
    }
}

/// The answer to a request whose work goes on after it.
public struct AcceptedJob: Codable, Sendable, Equatable {
    public struct Reference: Codable, Sendable, Equatable {
        public var id: Identifier<JobRecord>

        public init(id: Identifier<JobRecord>) { self.id = id }
    }

    public var job: Reference

    public init(_ id: Identifier<JobRecord>) { job = Reference(id: id) }
}
