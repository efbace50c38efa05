import MartletCore

/// Reads JSON text (RFC 8259) strictly, in one pass, within bounds that hold before anything is decoded.
///
/// Refused: nesting deeper than 64, invalid UTF-8, lone surrogates, repeated names, numbers of more than 64 characters,
/// anything after the value.
struct JSONParser {
    static let maximumDepth = 64
    static let maximumNumberLength = 64

    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var depth = 0

    static func parse(_ bytes: UnsafeBufferPointer<UInt8>) throws(Failure) -> JSON {
        var parser = JSONParser(bytes)
        parser.skipSpace()
        let value = try parser.value()
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.malformed("there is more after the end of the value") }
        return value
    }

    private init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    private mutating func value() throws(Failure) -> JSON {
        guard let byte = peek else { throw malformed("it ends where a value should be") }
        switch byte {
        case UInt8(ascii: "{"): return try nested { (parser) throws(Failure) in try parser.object() }
        case UInt8(ascii: "["): return try nested { (parser) throws(Failure) in try parser.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw malformed("a value should be here")
        }
    }

    private mutating func nested(_ body: (inout JSONParser) throws(Failure) -> JSON) throws(Failure) -> JSON {
        guard depth < Self.maximumDepth else {
            throw .malformed("json_too_deep", "The JSON is nested deeper than \(Self.maximumDepth) levels (at byte \(position)).")
        }
        depth += 1
        position += 1
        skipSpace()
        let value = try body(&self)
        depth -= 1
        return value
    }

    private mutating func object() throws(Failure) -> JSON {
        var members: [JSON.Member] = []
        if take("}") { return .object(members) }
        repeat {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw malformed("a name in quotes should be here") }
            let name = try string()
            skipSpace()
            guard take(":") else { throw malformed("a colon should be here") }
            skipSpace()
            members.append(JSON.Member(name, try value()))
            skipSpace()
        } while take(",")
        guard take("}") else { throw malformed("a comma or } should be here") }
        try refuseRepeatedNames(members)
        return .object(members)
    }

    private func refuseRepeatedNames(_ members: [JSON.Member]) throws(Failure) {
        guard members.count > 1 else { return }
        var seen = Set<String>(minimumCapacity: members.count)
        for member in members where !seen.insert(member.name).inserted {
            throw .malformed("repeated_name", "The JSON repeats a name in the object that ends at byte \(position).")
        }
    }

    private mutating func array() throws(Failure) -> JSON {
        var elements: [JSON] = []
        if take("]") { return .array(elements) }
        repeat {
            skipSpace()
            elements.append(try value())
            skipSpace()
        } while take(",")
        guard take("]") else { throw malformed("a comma or ] should be here") }
        return .array(elements)
    }

    private mutating func word(_ text: StaticString, _ value: JSON) throws(Failure) -> JSON {
        let expected = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard bytes[position...].starts(with: expected) else { throw malformed("a value should be here") }
        position += expected.count
        return value
    }

    private mutating func number() throws(Failure) -> JSON {
        let start = position
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        guard position - start <= Self.maximumNumberLength else {
            throw malformed("a number is longer than \(Self.maximumNumberLength) characters")
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func digits() throws(Failure) {
        let start = position
        while let byte = peek, byte.isDigit { position += 1 }
        guard position > start else { throw malformed("a digit should be here") }
    }
}

// MARK: Strings

extension JSONParser {
    private mutating func string() throws(Failure) -> String {
        position += 1
        let start = position
        while let byte = peek {
            if byte == UInt8(ascii: "\"") {
                let text = try text(bytes[start..<position])
                position += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try stringWithEscapes(from: start) }
            if byte < 0x20 { throw malformed("a control character in a string must be escaped") }
            position += 1
        }
        throw malformed("it ends inside a string")
    }

    private mutating func stringWithEscapes(from start: Int) throws(Failure) -> String {
        var unescaped = Array(bytes[start..<position])
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return try text(unescaped[...])
            case UInt8(ascii: "\\"): try appendEscape(to: &unescaped)
            case 0..<0x20: throw malformed("a control character in a string must be escaped")
            default: unescaped.append(byte)
            }
        }
        throw malformed("it ends inside a string")
    }

    private mutating func appendEscape(to text: inout [UInt8]) throws(Failure) {
        guard let byte = peek else { throw malformed("it ends inside a string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try escapedScalar()).utf8)
        default: throw malformed("this escape does not exist")
        }
    }

    private mutating func escapedScalar() throws(Failure) -> Character {
        var code = try hexadecimal()
        if (0xD800..<0xDC00).contains(code) {
            guard take("\\"), take("u") else { throw malformed("half of a surrogate pair stands alone") }
            let low = try hexadecimal()
            guard (0xDC00..<0xE000).contains(low) else { throw malformed("half of a surrogate pair stands alone") }
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw malformed("half of a surrogate pair stands alone") }
        return Character(scalar)
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = peek?.hexadecimalDigit else { throw malformed("four hexadecimal digits should be here") }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    private func text(_ bytes: some Collection<UInt8>) throws(Failure) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw malformed("a string is not valid UTF-8") }
        return text
    }
}

// MARK: Reading bytes

extension JSONParser {
    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private func malformed(_ what: String) -> Failure {
        .malformed("invalid_json", "This is not valid JSON: \(what) (at byte \(position)).")
    }
}

extension UInt8 {
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
