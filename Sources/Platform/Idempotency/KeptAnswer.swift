import HTTPTypes
import MartletContract
import MartletCore
import MartletHTTP
import NIOCore

/// An answer as it is kept, with the request that it answers.
struct KeptAnswer: Sendable, Equatable, Decodable {
    /// The longest body that is kept, in bytes: each is a row, read and sent whole.
    static let mostBytes = 1 << 20

    let endpoint: String
    let fingerprint: [UInt8]
    let status: Int
    let fields: [Field]
    let body: [UInt8]

    struct Field: Codable, Sendable, Equatable {
        let name: String
        let value: String
    }

    /// Throws `internal` for an answer that is too long, or is no whole one.
    init(_ answer: Answer, to claim: Claim) throws(Failure) {
        switch answer.body {
        case .empty: body = []
        case .whole(let bytes) where bytes.readableBytes <= Self.mostBytes: body = Array(bytes.readableBytesView)
        case .whole, .document, .events: throw Self.notKeepable
        }
        (endpoint, fingerprint, status) = (claim.endpoint, claim.fingerprint, answer.status.code)
        fields = answer.fields.map { Field(name: $0.name.rawName, value: $0.value) }
    }

    /// The answer to another call with the key; throws `idempotency_key_reused` when that is not the same request.
    func replay(to claim: Claim) throws(Failure) -> Answer {
        guard claim.endpoint == endpoint, claim.fingerprint == fingerprint else { throw Self.reused }
        var answer = Answer(HTTPResponse.Status(code: status), body: body.isEmpty ? .empty : .whole(ByteBuffer(bytes: body)))
        for field in fields {
            guard let name = HTTPField.Name(field.name) else { continue }
            answer.fields.append(HTTPField(name: name, value: field.value))
        }
        answer.fields[.idempotencyReplayed] = "true"
        return answer
    }

    private static let notKeepable = Failure(.internal, "answer_not_keepable", "Internal error.")
    private static let reused = Failure(.invalid, "idempotency_key_reused", "This Idempotency-Key was used for another request.")
}
