import Foundation
import Testing

@testable import MartletPostgres
@testable import MartletStorage

/// The bytes are those of PostgreSQL 15's `COPY (SELECT …) TO STDOUT (FORMAT binary)`.
struct ReceivingValues {
    @Test func booleansAreOneByte() {
        #expect(received("01", as: .bool) == .bool(true))
        #expect(received("00", as: .bool) == .bool(false))
        #expect(received("02", as: .bool) == nil)
    }

    @Test func integersOfEveryWidthAreReadWithTheirSign() {
        #expect(received("fffe", as: .int2) == .int(-2))
        #expect(received("7fffffff", as: .int4) == .int(2_147_483_647))
        #expect(received("8000000000000000", as: .int8) == .int(.min))
        #expect(received("ffffffff", as: .oid) == .int(4_294_967_295))
        #expect(received("ffffffff", as: .xid) == .int(4_294_967_295))
    }

    @Test func floatingPointNumbersKeepEveryBit() {
        #expect(received("3fc00000", as: .float4) == .double(1.5))
        #expect(received("bfb999999999999a", as: .float8) == .double(-0.1))
        #expect(received("7ff0000000000000", as: .float8) == .double(.infinity))
    }

    @Test(arguments: [PostgresType.text, .varchar, .bpchar, .name, .unknown, .xml])
    func textsAreUTF8(_ type: PostgresType) {
        #expect(received("4772c3bcc39f6520f09f918b", as: type) == .text("Grüße 👋"))
        #expect(received("", as: type) == .text(""))
        #expect(PostgresValue.isText(type.rawValue))
    }

    @Test(arguments: ["ff", "c3", "eda080", "c080", "f4908080", "61f09f91"])
    func textThatIsNotUTF8IsNoValue(_ hex: String) {
        for type in [PostgresType.text, .varchar, .name, .json, .char] { #expect(received(hex, as: type) == nil) }
        #expect(received("01" + hex, as: .jsonb) == nil)
    }

    @Test func theOneByteTypeIsText() {
        #expect(received("61", as: .char) == .text("a"))
        #expect(received("00", as: .char) == .text(""))
        #expect(received("6162", as: .char) == nil)
        #expect(!PostgresValue.isText(PostgresType.char.rawValue))
    }

    @Test func documentsAreJSON() {
        #expect(received("7b2261223a20317d", as: .json) == .json(#"{"a": 1}"#))
        #expect(received("017b2261223a20317d", as: .jsonb) == .json(#"{"a": 1}"#))
    }

    @Test func aDocumentOfAnUnknownVersionIsNoValue() {
        #expect(received("027b7d", as: .jsonb) == nil)
        #expect(received("", as: .jsonb) == nil)
    }

    @Test func bytesAreTakenAsTheyAre() {
        #expect(received("00ff", as: .bytea) == .bytes([0, 255]))
        #expect(received("", as: .bytea) == .bytes([]))
    }

    @Test func identifiersAreSixteenBytes() throws {
        let uuid = try #require(UUID(uuidString: "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"))
        #expect(received("a0eebc999c0b4ef8bb6d6bb9bd380a11", as: .uuid) == .uuid(uuid))
    }

    @Test func nothingIsNull() {
        #expect(received("", as: .void) == .null)
    }

    /// `time`, `interval`, `text[]`'s neighbours `int4[]` and `uuid[]`, an enum of the schema, no type at all.
    @Test(arguments: [1083, 1186, 1007, 2951, 16_385, 0, .max] as [UInt32])
    func typesWithoutAFormAreNoValue(_ oid: UInt32) {
        #expect(received(bytes("61626364"), as: oid) == nil)
        #expect(!PostgresValue.isText(oid))
    }

    @Test(arguments: [PostgresType.textArray, .json, .jsonb, .bytea, .int8, .uuid, .numeric, .date])
    func onlyTextIsText(_ type: PostgresType) {
        #expect(!PostgresValue.isText(type.rawValue))
    }
}
