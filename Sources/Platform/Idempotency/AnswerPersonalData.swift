import Foundation
import MartletCore
public import MartletService
import MartletStorage

extension KeptAnswers {
    /// Which calls were made with a key; what they were answered is the owner's anyway.
    public var personalData: [PersonalData] {
        [
            PersonalData("idempotency_keys", in: ["idempotent_answer"]) { [database] (owner, last: KeptKey?) in
                let after: SQL = last.map { " AND key > \($0.key)" } ?? ""
                return try await database.all(
                    KeptKey.self,
                    """
                    SELECT key, endpoint, created_at FROM idempotent_answer WHERE caller_id = \(owner)\(after) ORDER BY key LIMIT 500
                    """)
            } remove: { owner, transaction in
                try await transaction.change("DELETE FROM idempotent_answer WHERE caller_id = \(owner)")
            }
        ]
    }
}

/// A key that is remembered.
private struct KeptKey: Codable, Sendable {
    let key: String
    let endpoint: String
    let createdAt: Date
}
