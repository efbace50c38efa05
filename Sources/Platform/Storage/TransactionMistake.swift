public import MartletCore

/// A mistake in the program's use of transactions: what drivers throw for it, the same on every engine. Its text is for the log.
public struct TransactionMistake: Error, Sendable, CustomStringConvertible {
    public let description: String

    /// A second transaction, or a write beside the running one, could wait for the first for ever.
    public static let nested = Failure(
        .internal, "nested_transaction", "Internal error.",
        cause: TransactionMistake(description: "a transaction was begun, or a write made beside it, inside a transaction's body"))
    /// Also one that was rolled back for taking too long.
    public static let ended = Failure(
        .internal, "transaction_ended", "Internal error.",
        cause: TransactionMistake(description: "a transaction was used after it had ended"))
    /// Two savepoints of one transaction were open beside each other, so that neither can be undone alone.
    public static let overlap = Failure(
        .internal, "savepoint_overlap", "Internal error.",
        cause: TransactionMistake(description: "a savepoint ended before one that was begun inside of it"))

    /// A transaction was used after one of its statements had failed; that failure is the cause.
    public static func failed(after failure: any Error) -> Failure {
        Failure(.internal, "transaction_failed", "Internal error.", cause: failure)
    }
}
