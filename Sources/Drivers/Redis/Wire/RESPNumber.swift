import NIOCore

/// Numbers as RESP writes them. Nothing is guessed, and nothing overflows.
enum RESPNumber {
    static func integer(_ text: ByteBufferView) throws(RESPFault) -> Int64 {
        guard let number = Int64(String(decoding: try digits(text), as: UTF8.self)) else { throw .malformedNumber }
        return number
    }

    /// How long something is; `nil` for RESP2's null.
    static func length(_ text: ByteBufferView) throws(RESPFault) -> Int? {
        if text.first == UInt8(ascii: "?") { throw .streamed }
        let number = try integer(text)
        if number == -1 { return nil }
        guard let length = Int(exactly: number), length >= 0 else { throw .malformedNumber }
        return length
    }

    /// A whole number of any size, as it is written.
    static func digits(_ text: ByteBufferView) throws(RESPFault) -> [UInt8] {
        let isSigned = text.first == UInt8(ascii: "-") || text.first == UInt8(ascii: "+")
        let digits = isSigned ? text.dropFirst() : text
        guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { throw .malformedNumber }
        return Array(text)
    }

    static func double(_ text: ByteBufferView) throws(RESPFault) -> Double {
        let written = String(decoding: text, as: UTF8.self)
        let isPlain = text.allSatisfy { $0 == UInt8(ascii: ".") || allowed.contains($0) }
        switch written.lowercased() {
        case "inf", "+inf": return .infinity
        case "-inf": return -.infinity
        case "nan", "-nan": return .nan
        default:
            guard isPlain, let number = Double(written) else { throw .malformedNumber }
            return number
        }
    }

    static func boolean(_ text: ByteBufferView) throws(RESPFault) -> Bool {
        guard text.count == 1, let letter = text.first, letter == UInt8(ascii: "t") || letter == UInt8(ascii: "f") else {
            throw .malformedLine
        }
        return letter == UInt8(ascii: "t")
    }

    private static let allowed = Set("0123456789+-eE".utf8)
}
