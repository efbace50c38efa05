import Foundation

/// JSON kept in a text column: property names as they are, dates as milliseconds since 1970.
enum StoredJSON {
    static let depthLimit = 64

    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .millisecondsSince1970
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    private static let decoder = {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .millisecondsSince1970
        return decoder
    }()

    static func decode<Value: Decodable>(_ type: Value.Type, from text: String, column: ColumnName) throws -> Value {
        // Foundation's decoder recurses: a document deep enough ends the process, so the depth is known before it starts.
        guard depth(of: text) <= depthLimit else { throw RowMismatch(column: column.name, type: type, "JSON nested too deeply") }
        do {
            return try decoder.decode(type, from: Data(text.utf8))
        } catch {
            // Only the error's type: what a decoding error says may hold the value.
            throw RowMismatch(column: column.name, type: type, "JSON of another shape (\(Swift.type(of: error)))")
        }
    }

    /// How deeply arrays and objects nest, by one pass over the bytes.
    static func depth(of text: String) -> Int {
        var (depth, deepest, inString, escaped) = (0, 0, false, false)
        for byte in text.utf8 {
            switch byte {
            case _ where escaped: escaped = false
            case UInt8(ascii: "\\"): escaped = inString
            case UInt8(ascii: "\""): inString.toggle()
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                if !inString { depth += 1 }
                deepest = max(deepest, depth)
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if !inString { depth -= 1 }
            default: break
            }
        }
        return deepest
    }

    /// Whether the text holds the character NUL, as it is or escaped, which PostgreSQL's `jsonb` cannot hold.
    static func containsNUL(_ text: String) -> Bool {
        var rest = text.utf8[...]
        while let special = rest.firstIndex(where: { $0 == 0 || $0 == UInt8(ascii: "\\") }) {
            if rest[special] == 0 { return true }
            rest = rest[special...].dropFirst()
            if rest.starts(with: "u0000".utf8) { return true }
            rest = rest.dropFirst()
        }
        return false
    }

    /// The texts as a JSON array.
    static func text(of strings: [String]) -> String {
        // Texts always encode.
        guard let data = try? encoder.encode(strings) else { return "[]" }
        return String(decoding: data, as: UTF8.self)
    }

    /// The elements of a JSON array of plain strings, the commonest stored value (tags), read without Foundation's set-up costs;
    /// `nil` for anything else, escapes included, which the full decoder reads.
    static func strings(in text: String) -> [String]? {
        var text = text
        return text.withUTF8 { bytes in
            guard bytes.count >= 2, bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") else { return nil }
            if bytes.count == 2 { return [] }
            var strings: [String] = []
            // The last byte is a bracket, so whatever else stands at a position has a byte after it.
            var position = 1
            while bytes[position] == UInt8(ascii: "\"") {
                let rest = bytes[(position + 1)...]
                guard let end = rest.firstIndex(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") || $0 < 0x20 }),
                    bytes[end] == UInt8(ascii: "\"")
                else { return nil }
                strings.append(String(decoding: rest[..<end], as: UTF8.self))
                if bytes[end + 1] == UInt8(ascii: "]") { return end + 2 == bytes.count ? strings : nil }
                guard bytes[end + 1] == UInt8(ascii: ",") else { return nil }
                // PostgreSQL writes a space after the comma.
                position = bytes[end + 2] == UInt8(ascii: " ") ? end + 3 : end + 2
            }
            return nil
        }
    }
}
