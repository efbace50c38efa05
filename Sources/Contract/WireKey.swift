/// A key made of text that came from outside the program's types.
struct WireKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ text: String) {
        stringValue = text
        intValue = nil
    }
    init(stringValue: String) { self.init(stringValue) }
    init(intValue: Int) {
        stringValue = String(intValue)
        self.intValue = intValue
    }
}

extension CodingKey {
    /// Whether keys of this type are data (of a dictionary, of a document) rather than names of properties: data is not renamed.
    static var isData: Bool {
        self == WireKey.self || ObjectIdentifier(self) == DictionaryKeys.type
    }
}

/// The type of key that the standard library's dictionaries use, which has no public name: read off one of them.
private enum DictionaryKeys {
    static let type: ObjectIdentifier? = {
        let probe = Probe()
        // The probe answers nothing, so decoding stops where it has seen the key.
        _ = try? [String: Int](from: probe)
        return probe.keys
    }()

    private final class Probe: Decoder {
        var keys: ObjectIdentifier?
        var codingPath: [any CodingKey] { [] }
        var userInfo: [CodingUserInfoKey: Any] { [:] }

        func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
            keys = ObjectIdentifier(type)
            throw CancellationError()
        }
        func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw CancellationError() }
        func singleValueContainer() throws -> any SingleValueDecodingContainer { throw CancellationError() }
    }
}
