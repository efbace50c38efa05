/// The strings of a stored JSON array, for an array of any type that is a single text.
struct StringsContainer: UnkeyedDecodingContainer {
    let strings: [String]
    private(set) var currentIndex = 0

    init(strings: [String]) {
        self.strings = strings
    }

    var codingPath: [any CodingKey] { [] }
    var count: Int? { strings.count }
    var isAtEnd: Bool { currentIndex >= strings.count }

    mutating func decodeNil() throws -> Bool { false }
    mutating func decode(_ type: String.Type) throws -> String { try next() }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try Value(from: StringDecoder(text: try next()))
    }

    mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> { throw StructuredColumn() }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { throw StructuredColumn() }
    mutating func superDecoder() throws -> any Decoder { StringDecoder(text: try next()) }

    private mutating func next() throws -> String {
        // Too few for the type: the full JSON decoder knows how to say so.
        guard !isAtEnd else { throw StructuredColumn() }
        defer { currentIndex += 1 }
        return strings[currentIndex]
    }
}

/// One string of such an array. What wants anything but text leaves it to the full JSON decoder, which knows how to say no.
private struct StringDecoder: Decoder, SingleValueDecodingContainer {
    let text: String

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> { throw StructuredColumn() }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw StructuredColumn() }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    func decodeNil() -> Bool { false }
    func decode(_ type: String.Type) throws -> String { text }
    func decode(_ type: Bool.Type) throws -> Bool { throw StructuredColumn() }
    func decode(_ type: Double.Type) throws -> Double { throw StructuredColumn() }
    func decode(_ type: Float.Type) throws -> Float { throw StructuredColumn() }
    func decode(_ type: Int.Type) throws -> Int { throw StructuredColumn() }
    func decode(_ type: Int8.Type) throws -> Int8 { throw StructuredColumn() }
    func decode(_ type: Int16.Type) throws -> Int16 { throw StructuredColumn() }
    func decode(_ type: Int32.Type) throws -> Int32 { throw StructuredColumn() }
    func decode(_ type: Int64.Type) throws -> Int64 { throw StructuredColumn() }
    func decode(_ type: UInt.Type) throws -> UInt { throw StructuredColumn() }
    func decode(_ type: UInt8.Type) throws -> UInt8 { throw StructuredColumn() }
    func decode(_ type: UInt16.Type) throws -> UInt16 { throw StructuredColumn() }
    func decode(_ type: UInt32.Type) throws -> UInt32 { throw StructuredColumn() }
    func decode(_ type: UInt64.Type) throws -> UInt64 { throw StructuredColumn() }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try Value(from: self) }
}
