public import MartletCore

/// How values look on the wire: JSON with snake_case names, RFC 3339 times in UTC, absent optionals left out.
public enum WireJSON {
    /// Encodes a value. Throws when the value itself cannot be encoded (a number that is not finite, an `encode(to:)` that throws).
    public static func encode(_ value: some Encodable) throws -> [UInt8] {
        try WireOutput.bytes(of: value)
    }

    /// Parses a document within the bounds of the wire: nesting of at most 64, valid UTF-8, no repeated names.
    public static func parse(_ bytes: some Sequence<UInt8>) throws(Failure) -> JSON {
        let parsed = bytes.withContiguousStorageIfAvailable { (bytes) -> Result<JSON, Failure> in
            Result { () throws(Failure) in try JSONParser.parse(bytes) }
        }
        if let parsed { return try parsed.get() }
        return try parse(Array(bytes))
    }

    /// Decodes a value out of a parsed document; throws `DecodingError` at its first fault.
    ///
    /// Requests are validated by their ``Schema`` before, so that callers hear of every fault at once.
    public static func decode<Value: Decodable>(_ type: Value.Type, from json: JSON) throws -> Value {
        try WireDecoder(json).decode(type)
    }

    /// Parses, then decodes.
    public static func decode<Value: Decodable>(_ type: Value.Type, from bytes: some Sequence<UInt8>) throws -> Value {
        try decode(type, from: parse(bytes))
    }

    /// `createdAt` → `created_at`. Names of types and properties are plain ASCII words.
    public static func snakeCase(_ name: String) -> String {
        guard name.utf8.contains(where: { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }) else { return name }
        var bytes: [UInt8] = []
        appendSnakeCase(name, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    static func appendSnakeCase(_ name: String, to bytes: inout [UInt8]) {
        for byte in name.utf8 {
            guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) else {
                bytes.append(byte)
                continue
            }
            bytes.append(UInt8(ascii: "_"))
            bytes.append(byte | 0x20)
        }
    }
}
