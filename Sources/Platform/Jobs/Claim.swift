import Foundation
import MartletCore
import MartletJobsAPI
import MartletStorage

/// One attempt at a job that a worker has taken, and the token that fences it off from every other attempt.
struct Claim: Decodable, Sendable {
    let id: Identifier<JobRecord>
    let kind: String
    let queue: String
    let ownerID: Identifier<Account>?
    let payload: String
    let checkpoint: String?
    let attempt: Int
    let maxAttempts: Int
    let token: Int
    let workerID: UUID
    let errors: String
    let requestID: String?
    /// The span that enqueued it.
    let traceparent: String?
    /// Where its row was stored when it was taken.
    let place: String

    static let columns: SQL =
        "id, kind, queue, owner_id, payload, checkpoint, attempt, max_attempts, token, worker_id, errors, request_id, traceparent, \(SQL.place) AS place"
}

/// Why an attempt ended without success: in words for the job's owner, and with all that operators want to know.
struct Reason: Sendable, ExpressibleByStringLiteral {
    let shown: String
    let whole: String

    /// The job's own words.
    init(_ words: String) { (shown, whole) = (words, words) }
    init(stringLiteral words: String) { self.init(words) }

    /// Of an error only what a `Failure` is meant to tell its caller is shown.
    init(_ error: any Error) {
        guard let failure = error as? Failure else {
            (shown, whole) = ("Internal error.", "\(type(of: error)): \(error)")
            return
        }
        shown = failure.kind == .internal ? "Internal error." : failure.message
        whole = "\(failure.code): \(failure.message)" + (failure.cause.map { " (\($0))" } ?? "")
    }
}

/// Why an attempt failed, as dead letters keep it.
struct AttemptError: Codable, Sendable, Equatable {
    let attempt: Int
    let at: Date
    let reason: String
    /// What the job's owner is told.
    let shown: String?

    /// As many are kept, the newest.
    static let most = 25

    /// Longer reasons are cut here.
    static let longestReason = 1_000
}

extension String {
    /// At most so many characters of it, without the one that databases cannot keep.
    func kept(upTo length: Int) -> String {
        String(String.UnicodeScalarView(unicodeScalars.lazy.filter { $0 != "\0" }.prefix(length)))
    }
}
