import HTTPTypes
public import MartletCore

/// An answer that is there at once, or one that takes longer: 200 with the answer, or 202 with what to ask for it later.
///
/// On the wire each is the JSON of its own type; the status tells which.
public enum NowOrLater<Now: Codable & Sendable, Later: Codable & Sendable>: Sendable {
    case now(Now)
    case later(Later)

    /// The answer, if it was there at once.
    public var now: Now? {
        if case .now(let answer) = self { answer } else { nil }
    }

    /// What to ask for the answer, if it was not.
    public var later: Later? {
        if case .later(let promise) = self { promise } else { nil }
    }
}

extension Endpoint where Input == Upload {
    /// Takes bytes that are not our JSON; answers at once, or with a promise.
    public static func upload<Now, Later>(
        _ path: String, _ summary: String, details: String = "", allow: Access, body: BodyRule, limit: LimitClass = .writes,
        idempotent: Bool = false, failures: [Failure.Kind] = []
    ) -> Endpoint where Output == NowOrLater<Now, Later> {
        let operation = APIOperation(
            method: .post, path: PathTemplate(path), summary: summary, details: details, access: allow, success: .ok, limit: limit,
            isIdempotent: idempotent, body: body, fields: [], answer: .describing(Now.self), promise: .describing(Later.self),
            failures: failures)
        return Endpoint(operation: operation, input: .upload, output: .nowOrLater())
    }
}

extension OutputCodec {
    static func nowOrLater<Now, Later>() -> OutputCodec where Output == NowOrLater<Now, Later> {
        .promised(
            encode: { output in
                switch output {
                case .now(let answer): (.ok, try WireJSON.encode(answer))
                case .later(let promise): (.accepted, try WireJSON.encode(promise))
                }
            },
            decode: { success, bytes in
                if success == .accepted { return .later(try WireJSON.decode(Later.self, from: bytes)) }
                return .now(try WireJSON.decode(Now.self, from: bytes))
            })
    }
}
