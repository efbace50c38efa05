public import HTTPTypes

extension HTTPField.Name {
    /// Tells a repeated request from a new one (draft-ietf-httpapi-idempotency-key-header).
    public static let idempotencyKey = known("Idempotency-Key")

    /// `true` in an answer that was given before.
    public static let idempotencyReplayed = known("Idempotency-Replayed")

    private static func known(_ name: String) -> HTTPField.Name {
        guard let known = HTTPField.Name(name) else { preconditionFailure("\(name) is a field name.") }
        return known
    }
}
