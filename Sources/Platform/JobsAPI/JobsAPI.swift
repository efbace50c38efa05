// MartletJobsAPI: what can be asked of jobs. Shared by server, client, documentation and tests.

public import MartletContract
public import MartletCore

/// Work that goes on after the request that asked for it.
public struct JobsAPI: API {
    public static let shared = JobsAPI()
    public static let name = "jobs"

    public let find = Endpoint<JobReference, JobStatus>.get(
        "/api/v1/jobs/{id}", "See how far a job is", allow: .signedIn, failures: [.notFound])

    public let events = Endpoint<JobReference, EventStream<JobEvent>>.events(
        "/api/v1/jobs/{id}/events", "Follow a job until it ends",
        details: "Begins with where the job is, and goes on behind `Last-Event-ID` when that is given. Ends when the job does.",
        allow: .signedIn, failures: [.notFound])

    public let cancel = Endpoint<JobReference, JobStatus>.post(
        "/api/v1/jobs/{id}/cancel", "Cancel a job",
        details: """
            A job that waits is cancelled at once; one that runs is told to end. One that has ended stays as it is, so the call may be repeated.
            """,
        allow: .signedIn, failures: [.notFound])

    public let list = Endpoint<JobFilter, Page<JobStatus>>.get(
        "/api/v1/admin/jobs", "List jobs, newest first", details: "Those in the state `dead` are the dead letters.",
        allow: .permission(Self.administration))

    public let inspect = Endpoint<JobReference, JobStatus>.get(
        "/api/v1/admin/jobs/{id}", "See any job", allow: .permission(Self.administration), failures: [.notFound])

    public let stop = Endpoint<JobReference, JobStatus>.post(
        "/api/v1/admin/jobs/{id}/cancel", "Cancel any job", allow: .permission(Self.administration), failures: [.notFound])

    public let retry = Endpoint<JobReference, JobStatus>.post(
        "/api/v1/admin/jobs/{id}/retry", "Begin a dead or cancelled job anew", allow: .permission(Self.administration),
        failures: [.notFound, .conflict])

    /// The permission of operators.
    public static let administration: Permission = "jobs:admin"
    public static let permissions = [PermissionGrant.own(administration)]
}

public struct JobReference: Codable, Sendable {
    public var id: Identifier<JobRecord>

    public init(id: Identifier<JobRecord>) { self.id = id }
}

public struct JobFilter: Codable, Sendable {
    public var state: JobState?
    public var kind: JobKind?
    public var cursor: Cursor?
    public var limit: PageLimit?

    public init(state: JobState? = nil, kind: JobKind? = nil, cursor: Cursor? = nil, limit: PageLimit? = nil) {
        (self.state, self.kind, self.cursor, self.limit) = (state, kind, cursor, limit)
    }
}

/// The stored name of a kind of jobs.
public struct JobKind: Parsed {
    public static let schema = Schema.string(length: 1...100, "The kind's stored name.")
    public static let example = "bookmarks.import"
    public let raw: String

    public init(_ raw: String) throws(Fault) {
        guard (1...100).contains(raw.unicodeScalars.count) else {
            throw Fault(code: "out_of_range", message: "A kind's name has 1 to 100 characters.")
        }
        self.raw = raw
    }
}
