import Foundation
import MartletCore

/// JSON written straight into bytes, without a tree in between.
///
/// Encoders hand out containers that stay open until something is written beside or above them; `stack` holds the open ones.
/// It is a value, so that each step of an encoder asks once for access to what all of them share.
struct JSONText {
    private(set) var bytes: [UInt8] = []
    /// Set by a value that is not to be written.
    var isAbsent = false
    private var stack: [Scope] = []

    private struct Scope {
        let closing: UInt8
        var isEmpty = true
    }

    init() {
        bytes.reserveCapacity(512)
    }

    /// How many containers are open.
    var depth: Int { stack.count }

    mutating func open(_ opening: Unicode.Scalar, _ closing: Unicode.Scalar) -> Int {
        bytes.append(UInt8(ascii: opening))
        stack.append(Scope(closing: UInt8(ascii: closing)))
        return stack.count
    }

    mutating func close(downTo depth: Int) {
        while stack.count > depth { bytes.append(stack.removeLast().closing) }
    }

    mutating func separate(at depth: Int) {
        close(downTo: depth)
        if !stack[depth - 1].isEmpty { bytes.append(UInt8(ascii: ",")) }
        stack[depth - 1].isEmpty = false
    }

    /// Where a member began, to take it back.
    struct Mark {
        fileprivate let count: Int
        fileprivate let depth: Int
        fileprivate let wasEmpty: Bool
    }

    @discardableResult
    mutating func name<Key: CodingKey>(_ key: Key, at depth: Int) -> Mark {
        close(downTo: depth)
        let mark = Mark(count: bytes.count, depth: depth, wasEmpty: stack[depth - 1].isEmpty)
        separate(at: depth)
        bytes.append(UInt8(ascii: "\""))
        if Key.isData { append(escaping: key.stringValue) } else { WireJSON.appendSnakeCase(key.stringValue, to: &bytes) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        return mark
    }

    /// Takes back a member whose value said that it is absent. (Asking each value beforehand would cost a cast per value.)
    mutating func leaveOutIfAbsent(from mark: Mark) {
        guard isAbsent else { return }
        isAbsent = false
        bytes.removeLast(bytes.count - mark.count)
        stack[mark.depth - 1].isEmpty = mark.wasEmpty
    }

    /// Closes what a value left open; one that wrote nothing is null.
    mutating func endValue(from before: Int, at depth: Int) {
        close(downTo: depth)
        if bytes.count == before { null() }
    }
}

// MARK: Scalars

extension JSONText {
    mutating func null() { bytes.append(contentsOf: "null".utf8) }
    mutating func bool(_ value: Bool) { bytes.append(contentsOf: (value ? "true" : "false").utf8) }
    mutating func integer(_ value: some BinaryInteger) { bytes.append(contentsOf: String(value).utf8) }

    mutating func double(_ value: Double) throws {
        guard value.isFinite else {
            throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: "JSON has no numbers that are not finite."))
        }
        if value == value.rounded(), abs(value) < 1e15 { integer(Int(value)) } else { bytes.append(contentsOf: value.description.utf8) }
    }

    mutating func date(_ value: Date) {
        bytes.append(UInt8(ascii: "\""))
        Timestamp.append(value, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        append(escaping: text)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func append(escaping text: String) {
        var text = text
        text.withUTF8 { utf8 in
            var start = 0
            for (index, byte) in utf8.enumerated() where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                bytes.append(contentsOf: utf8[start..<index])
                append(escape: byte)
                start = index + 1
            }
            bytes.append(contentsOf: utf8[start...])
        }
    }

    private mutating func append(escape byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        default:
            let digits = Array("0123456789abcdef".utf8)
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 0x0F)])
        }
    }
}

/// The text that the containers of one encoding share.
final class WireOutput {
    var text = JSONText()

    /// The text of a whole value.
    static func bytes(of value: some Encodable) throws -> [UInt8] {
        let output = WireOutput()
        try output.encode(value)
        output.text.close(downTo: 0)
        return output.text.bytes
    }

    func encode<Value: Encodable>(_ value: Value) throws {
        // Comparing the types first is far cheaper than a cast per value.
        if Value.self == String.self, let string = value as? String { return text.string(string) }
        if Value.self == Date.self, let date = value as? Date { return text.date(date) }
        if Value.self == UUID.self, let uuid = value as? UUID { return text.string(uuid.text) }
        let (before, depth) = (text.bytes.count, text.depth)
        try value.encode(to: WireEncoder(output: self))
        text.endValue(from: before, at: depth)
    }
}

struct WireEncoder: Encoder {
    let output: WireOutput
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(KeyedWriter(output: output, depth: output.text.open("{", "}")))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        ElementWriter(output: output, depth: output.text.open("[", "]"))
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        ScalarWriter(output: output)
    }
}

private struct KeyedWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let output: WireOutput
    let depth: Int
    var codingPath: [any CodingKey] { [] }

    mutating func encodeNil(forKey key: Key) {
        output.text.name(key, at: depth)
        output.text.null()
    }

    mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        let before = output.text.name(key, at: depth)
        try output.encode(value)
        output.text.leaveOutIfAbsent(from: before)
    }

    mutating func encode(_ value: String, forKey key: Key) {
        output.text.name(key, at: depth)
        output.text.string(value)
    }
    mutating func encode(_ value: Bool, forKey key: Key) {
        output.text.name(key, at: depth)
        output.text.bool(value)
    }
    mutating func encode(_ value: Int, forKey key: Key) {
        output.text.name(key, at: depth)
        output.text.integer(value)
    }
    mutating func encode(_ value: Double, forKey key: Key) throws {
        output.text.name(key, at: depth)
        try output.text.double(value)
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
        output.text.name(key, at: depth)
        return WireEncoder(output: output).container(keyedBy: Nested.self)
    }
    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        output.text.name(key, at: depth)
        return WireEncoder(output: output).unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder {
        output.text.name(WireKey("super"), at: depth)
        return WireEncoder(output: output)
    }
    mutating func superEncoder(forKey key: Key) -> any Encoder {
        output.text.name(key, at: depth)
        return WireEncoder(output: output)
    }
}

private struct ElementWriter: UnkeyedEncodingContainer {
    let output: WireOutput
    let depth: Int
    var codingPath: [any CodingKey] { [] }
    var count = 0

    private mutating func next() {
        output.text.separate(at: depth)
        count += 1
    }

    mutating func encodeNil() {
        next()
        output.text.null()
    }
    mutating func encode<Value: Encodable>(_ value: Value) throws {
        next()
        try output.encode(value)
    }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type) -> KeyedEncodingContainer<Nested> {
        next()
        return WireEncoder(output: output).container(keyedBy: Nested.self)
    }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        next()
        return WireEncoder(output: output).unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder {
        next()
        return WireEncoder(output: output)
    }
}

private struct ScalarWriter: SingleValueEncodingContainer {
    let output: WireOutput
    var codingPath: [any CodingKey] { [] }

    mutating func encodeNil() { output.text.null() }
    mutating func encode(_ value: Bool) { output.text.bool(value) }
    mutating func encode(_ value: String) { output.text.string(value) }
    mutating func encode(_ value: Double) throws { try output.text.double(value) }
    mutating func encode(_ value: Float) throws { try output.text.double(Double(value)) }
    mutating func encode(_ value: Int) { output.text.integer(value) }
    mutating func encode(_ value: Int8) { output.text.integer(value) }
    mutating func encode(_ value: Int16) { output.text.integer(value) }
    mutating func encode(_ value: Int32) { output.text.integer(value) }
    mutating func encode(_ value: Int64) { output.text.integer(value) }
    mutating func encode(_ value: UInt) { output.text.integer(value) }
    mutating func encode(_ value: UInt8) { output.text.integer(value) }
    mutating func encode(_ value: UInt16) { output.text.integer(value) }
    mutating func encode(_ value: UInt32) { output.text.integer(value) }
    mutating func encode(_ value: UInt64) { output.text.integer(value) }
    mutating func encode<Value: Encodable>(_ value: Value) throws { try output.encode(value) }
}
