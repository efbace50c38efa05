import MartletStorage

extension PreparedStatement {
    /// Every row, decoded.
    func all<Row: Decodable>(_ row: Row.Type) throws -> [Row] {
        guard try step() else { return [] }
        let decoder = RowDecoder(self)
        var rows: [Row] = []
        repeat { rows.append(try decoder.decode(row)) } while try step()
        return rows
    }

    /// The first row, decoded. A statement that writes is run to its end, so that nothing of it is left undone.
    func first<Row: Decodable>(_ row: Row.Type) throws -> Row? {
        guard try step() else { return nil }
        let first = try RowDecoder(self).decode(row)
        if !isReadOnly { while try step() {} }
        return first
    }

    /// At most `limit` further rows, decoded.
    func next<Row: Decodable>(_ limit: Int, _ row: Row.Type) throws -> [Row] {
        var rows: [Row] = []
        while rows.count < limit, try step() { rows.append(try RowDecoder(self).decode(row)) }
        return rows
    }
}
