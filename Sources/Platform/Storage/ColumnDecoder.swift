/// One column of a row, for types that are a single value.
struct ColumnDecoder: Decoder, SingleValueDecodingContainer {
    let row: RowDecoder
    let index: Int

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    /// A type with properties of its own: its column must hold JSON, which is decoded as a whole by whoever catches this.
    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> { throw StructuredColumn() }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let strings = try row.strings(at: index) else { throw StructuredColumn() }
        return StringsContainer(strings: strings)
    }

    func decodeNil() -> Bool { row.isNull(at: index) }
    func decode(_ type: Bool.Type) throws -> Bool { try row.bool(at: index) }
    func decode(_ type: String.Type) throws -> String { try row.text(at: index) }
    func decode(_ type: Double.Type) throws -> Double { try row.double(at: index) }
    func decode(_ type: Float.Type) throws -> Float { Float(try row.double(at: index)) }
    func decode(_ type: Int.Type) throws -> Int { try row.integer(type, at: index) }
    func decode(_ type: Int8.Type) throws -> Int8 { try row.integer(type, at: index) }
    func decode(_ type: Int16.Type) throws -> Int16 { try row.integer(type, at: index) }
    func decode(_ type: Int32.Type) throws -> Int32 { try row.integer(type, at: index) }
    func decode(_ type: Int64.Type) throws -> Int64 { try row.integer(type, at: index) }
    func decode(_ type: UInt.Type) throws -> UInt { try row.integer(type, at: index) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try row.integer(type, at: index) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try row.integer(type, at: index) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try row.integer(type, at: index) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try row.integer(type, at: index) }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try row.decode(type, at: index) }
}

/// The type in hand has elements or properties, so its column holds JSON.
struct StructuredColumn: Error {}
