import Foundation
import MartletCore

/// Writes JSON straight into bytes, without a tree in between.
///
/// Encoders hand out containers that stay open until something is written beside or above them; `stack` holds the open ones.
final class WireOutput {
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

    func open(_ opening: Unicode.Scalar, _ closing: Unicode.Scalar) -> Int {
        bytes.append(UInt8(ascii: opening))
        stack.append(Scope(closing: UInt8(ascii: closing)))
        return stack.count
    }

    func closeAll() {
        close(downTo: 0)
    }

    private func close(downTo depth: Int) {
        while stack.count > depth { bytes.append(stack.removeLast().closing) }
    }

    func separate(at depth: Int) {
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
    func name(_ key: some CodingKey, at depth: Int) -> Mark {
        close(downTo: depth)
        let mark = Mark(count: bytes.count, depth: depth, wasEmpty: stack[depth - 1].isEmpty)
        separate(at: depth)
        bytes.append(UInt8(ascii: "\""))
        if type(of: key).isData { append(escaping: key.stringValue) } else { WireJSON.appendSnakeCase(key.stringValue, to: &bytes) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        return mark
    }

    /// Takes back a member whose value said that it is absent. (Asking each value beforehand would cost a cast per value.)
    func leaveOutIfAbsent(from mark: Mark) {
        guard isAbsent else { return }
        isAbsent = false
        bytes.removeLast(bytes.count - mark.count)
        stack[mark.depth - 1].isEmpty = mark.wasEmpty
    }

    func encode<Value: Encodable>(_ value: Value, path: [any CodingKey] = []) throws {
        // Comparing the types first is far cheaper than a cast per value.
        if Value.self == String.self, let text = value as? String { return string(text) }
        if Value.self == Date.self, let date = value as? Date { return self.date(date) }
        if Value.self == UUID.self, let uuid = value as? UUID { return string(uuid.text) }
        let depth = stack.count
        let before = bytes.count
        try value.encode(to: WireEncoder(output: self, codingPath: path))
        close(downTo: depth)
        if bytes.count == before { null() }
    }

    func null() { bytes.append(contentsOf: "null".utf8) }
    func bool(_ value: Bool) { bytes.append(contentsOf: (value ? "true" : "false").utf8) }
    func integer(_ value: some BinaryInteger) { bytes.append(contentsOf: String(value).utf8) }

    func double(_ value: Double, path: [any CodingKey]) throws {
        guard value.isFinite else {
            throw EncodingError.invalidValue(value, .init(codingPath: path, debugDescription: "JSON has no numbers that are not finite."))
        }
        if value == value.rounded(), abs(value) < 1e15 { integer(Int(value)) } else { bytes.append(contentsOf: value.description.utf8) }
    }

    func date(_ value: Date) {
        bytes.append(UInt8(ascii: "\""))
        Timestamp.append(value, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        append(escaping: text)
        bytes.append(UInt8(ascii: "\""))
    }

    private func append(escaping text: String) {
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

    private func append(escape byte: UInt8) {
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

struct WireEncoder: Encoder {
    let output: WireOutput
    var codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(KeyedWriter(output: output, depth: output.open("{", "}"), codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        ElementWriter(output: output, depth: output.open("[", "]"), codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        ScalarWriter(output: output, codingPath: codingPath)
    }
}

private struct KeyedWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let output: WireOutput
    let depth: Int
    let codingPath: [any CodingKey]

    mutating func encodeNil(forKey key: Key) {
        output.name(key, at: depth)
        output.null()
    }

    mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        let before = output.name(key, at: depth)
        try output.encode(value, path: codingPath)
        output.leaveOutIfAbsent(from: before)
    }

    mutating func encode(_ value: String, forKey key: Key) {
        output.name(key, at: depth)
        output.string(value)
    }
    mutating func encode(_ value: Bool, forKey key: Key) {
        output.name(key, at: depth)
        output.bool(value)
    }
    mutating func encode(_ value: Int, forKey key: Key) {
        output.name(key, at: depth)
        output.integer(value)
    }
    mutating func encode(_ value: Double, forKey key: Key) throws {
        output.name(key, at: depth)
        try output.double(value, path: codingPath)
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
        output.name(key, at: depth)
        return WireEncoder(output: output, codingPath: codingPath).container(keyedBy: Nested.self)
    }
    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        output.name(key, at: depth)
        return WireEncoder(output: output, codingPath: codingPath).unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder {
        output.name(WireKey("super"), at: depth)
        return WireEncoder(output: output, codingPath: codingPath)
    }
    mutating func superEncoder(forKey key: Key) -> any Encoder {
        output.name(key, at: depth)
        return WireEncoder(output: output, codingPath: codingPath)
    }
}

private struct ElementWriter: UnkeyedEncodingContainer {
    let output: WireOutput
    let depth: Int
    let codingPath: [any CodingKey]
    var count = 0

    private mutating func next() {
        output.separate(at: depth)
        count += 1
    }

    mutating func encodeNil() {
        next()
        output.null()
    }
    mutating func encode<Value: Encodable>(_ value: Value) throws {
        next()
        try output.encode(value, path: codingPath)
    }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type) -> KeyedEncodingContainer<Nested> {
        next()
        return WireEncoder(output: output, codingPath: codingPath).container(keyedBy: Nested.self)
    }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        next()
        return WireEncoder(output: output, codingPath: codingPath).unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder {
        next()
        return WireEncoder(output: output, codingPath: codingPath)
    }
}

private struct ScalarWriter: SingleValueEncodingContainer {
    let output: WireOutput
    let codingPath: [any CodingKey]

    mutating func encodeNil() { output.null() }
    mutating func encode(_ value: Bool) { output.bool(value) }
    mutating func encode(_ value: String) { output.string(value) }
    mutating func encode(_ value: Double) throws { try output.double(value, path: codingPath) }
    mutating func encode(_ value: Float) throws { try output.double(Double(value), path: codingPath) }
    mutating func encode(_ value: Int) { output.integer(value) }
    mutating func encode(_ value: Int8) { output.integer(value) }
    mutating func encode(_ value: Int16) { output.integer(value) }
    mutating func encode(_ value: Int32) { output.integer(value) }
    mutating func encode(_ value: Int64) { output.integer(value) }
    mutating func encode(_ value: UInt) { output.integer(value) }
    mutating func encode(_ value: UInt8) { output.integer(value) }
    mutating func encode(_ value: UInt16) { output.integer(value) }
    mutating func encode(_ value: UInt32) { output.integer(value) }
    mutating func encode(_ value: UInt64) { output.integer(value) }
    mutating func encode<Value: Encodable>(_ value: Value) throws { try output.encode(value, path: codingPath) }
}
