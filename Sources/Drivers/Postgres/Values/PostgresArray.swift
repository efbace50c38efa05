import MartletStorage

/// `text[]` on the wire: the number of dimensions, whether there are NULLs, the elements' type; for each dimension its length and first
/// index; then the elements, each with its length. Source: `array_send`.
enum PostgresArray {
    /// Of an array with one dimension.
    static let headerSize = 20

    static func append(_ texts: [String], to bytes: inout [UInt8]) {
        bytes.append(bigEndian: Int32(texts.isEmpty ? 0 : 1))
        bytes.append(bigEndian: Int32(0))
        bytes.append(bigEndian: PostgresType.text.rawValue)
        guard !texts.isEmpty else { return }
        bytes.append(bigEndian: Int32(texts.count))
        bytes.append(bigEndian: Int32(1))
        for text in texts {
            bytes.append(bigEndian: Int32(text.utf8.count))
            bytes.append(contentsOf: text.utf8)
        }
    }

    /// The texts; `nil` for several dimensions, an element that is NULL, or elements of another type.
    static func decode(_ bytes: UnsafeRawBufferPointer) -> [String]? {
        var reader = WireReader(bytes)
        guard let dimensions = reader.next(Int32.self), reader.next(Int32.self) != nil,
            let type = reader.next(UInt32.self), PostgresValue.isText(type)
        else { return nil }
        let texts: [String]? = dimensions == 0 ? [] : dimensions == 1 ? elements(&reader) : nil
        return reader.remaining == 0 ? texts : nil
    }

    private static func elements(_ reader: inout WireReader) -> [String]? {
        // A count is believed only as far as there are bytes for the lengths.
        guard let count = reader.next(Int32.self), reader.next(Int32.self) != nil, count > 0, Int(count) <= reader.remaining / 4
        else { return nil }
        var texts: [String] = []
        texts.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let length = reader.next(Int32.self), let bytes = reader.next(count: Int(length)), let text = PostgresValue.text(bytes)
            else { return nil }
            texts.append(text)
        }
        return texts
    }
}
