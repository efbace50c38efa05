import MartletContract
import MartletCore

/// A value as jobs keep it: JSON text.
public struct StoredResult: Sendable, Hashable {
    let text: String

    init(text: String) { self.text = text }

    public init(_ value: some Encodable) throws {
        text = String(decoding: try WireJSON.encode(value), as: UTF8.self)
    }

    func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        try WireJSON.decode(type, from: Array(text.utf8))
    }
}
