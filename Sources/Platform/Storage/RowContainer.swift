/// The columns of a row by the names of a type's properties.
struct RowContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let row: RowDecoder

    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { row.columnNames.compactMap { Key(stringValue: $0.name) } }

    func contains(_ key: Key) -> Bool { row.index(of: key) != nil }
    func decodeNil(forKey key: Key) throws -> Bool { row.isNull(at: try index(key)) }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try row.bool(at: index(key)) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try row.text(at: index(key)) }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try row.double(at: index(key)) }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { Float(try row.double(at: index(key))) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try row.integer(type, at: index(key)) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try row.integer(type, at: index(key)) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try row.integer(type, at: index(key)) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try row.integer(type, at: index(key)) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try row.integer(type, at: index(key)) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try row.integer(type, at: index(key)) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try row.integer(type, at: index(key)) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try row.integer(type, at: index(key)) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try row.integer(type, at: index(key)) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try row.integer(type, at: index(key)) }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try row.decode(type, at: index(key)) }

    // The default would look each column up three times, and read an absent one as nil: a misspelt column must not go unseen.
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try present(key).map(row.bool) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try present(key).map(row.text) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { try present(key).map(row.double) }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? { try present(key).map { Float(try row.double(at: $0)) } }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try present(key).map { try row.integer(type, at: $0) } }
    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? { try present(key).map { try row.integer(type, at: $0) } }
    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? { try present(key).map { try row.integer(type, at: $0) } }
    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? { try present(key).map { try row.integer(type, at: $0) } }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { try present(key).map { try row.integer(type, at: $0) } }
    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? { try present(key).map { try row.integer(type, at: $0) } }
    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? { try present(key).map { try row.integer(type, at: $0) } }
    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? { try present(key).map { try row.integer(type, at: $0) } }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? { try present(key).map { try row.integer(type, at: $0) } }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? { try present(key).map { try row.integer(type, at: $0) } }
    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        try present(key).map { try row.decode(type, at: $0) }
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
        throw RowMismatch(column: key.stringValue, type: "nested container", "give the value a type of its own")
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try ColumnDecoder(row: row, index: index(key)).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { row }
    func superDecoder(forKey key: Key) throws -> any Decoder { ColumnDecoder(row: row, index: try index(key)) }

    private func index(_ key: Key) throws -> Int {
        guard let index = row.index(of: key) else {
            throw RowMismatch(column: key.stringValue, type: "property", "the statement returns no such column")
        }
        return index
    }

    /// The column's index; `nil` when it holds NULL.
    private func present(_ key: Key) throws -> Int? {
        let index = try index(key)
        return row.isNull(at: index) ? nil : index
    }
}
