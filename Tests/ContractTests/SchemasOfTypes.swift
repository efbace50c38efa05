import Foundation
import MartletContract
import MartletCore
import Testing

enum Colour: String, Codable, CaseIterable { case red, green, blue }

enum NoteLimits: TextLimits {
    static let length = 1...10
    static let example = "note"
}

struct Address: Codable {
    var street: String
    var houseNumber: Int?
}

/// At most three numbers.
struct Scores: Codable, CountBounded {
    static let count = 1...3
    var all: [Int8]

    init(from decoder: any Decoder) throws { all = try [Int8](from: decoder) }
    func encode(to encoder: any Encoder) throws { try all.encode(to: encoder) }
}

struct Person: Codable {
    var id: Identifier<Account>
    var email: EmailAddress
    var nickName: Text<NoteLimits>?
    var colour: Colour
    var isActive: Bool
    var height: Double
    var age: UInt8
    var bornAt: Date?
    var home: Address
    var others: [Address]?
    var scores: Scores
    var note: Change<Text<NoteLimits>>
    var extra: JSON?
}

/// A type that contains itself.
struct Folder: Codable {
    var name: String
    var parent: Parent?
    var children: [Folder]

    /// A step in between, so that the type is of finite size.
    struct Parent: Codable {
        var folders: [Folder]?
    }
}

@Suite struct SchemasOfTypes {
    private let schema = Schema.of(Person.self)

    @Test func haveTheFieldsInTheirOrderWithTheirNamesOnTheWire() {
        #expect(
            schema.fields.map(\.name) == [
                "id", "email", "nick_name", "colour", "is_active", "height", "age", "born_at", "home", "others", "scores", "note", "extra",
            ])
    }

    @Test func requireWhatIsNotOptional() {
        #expect(
            schema.fields.filter(\.isRequired).map(\.name) == ["id", "email", "colour", "is_active", "height", "age", "home", "scores"])
    }

    @Test func letOnlyChangesBeNull() {
        #expect(schema.fields.filter(\.schema.isNullable).map(\.name) == ["note"])
    }

    @Test func knowTheShapesOfValues() throws {
        guard case .string(let id) = try shape("id"), case .string(let email) = try shape("email"),
            case .string(let nick) = try shape("nick_name"),
            case .string(let colour) = try shape("colour"), case .string(let born) = try shape("born_at"),
            case .integer(let age) = try shape("age")
        else { return #expect(Bool(false), "A field has another shape.") }
        #expect(id.format == .uuid && email.format == .email && born.format == .dateTime)
        #expect(email.length == 3...254 && nick.length == 1...10)
        #expect(colour.choices == ["red", "green", "blue"])
        #expect(age == 0...255)
    }

    @Test func knowTheShapesOfNestedObjectsAndArrays() throws {
        guard case .object(let home) = try shape("home"), case .array(let other, _) = try shape("others"),
            case .array(let score, let count) = try shape("scores"),
            case .anything = try shape("extra")
        else { return #expect(Bool(false), "A field has another shape.") }
        #expect(home.name == "Address")
        #expect(home.fields.map(\.name) == ["street", "house_number"] && home.fields.map(\.isRequired) == [true, false])
        #expect(other.fields.map(\.name) == ["street", "house_number"])
        guard case .integer(let range) = score.shape else { return #expect(Bool(false), "Scores are not whole numbers.") }
        #expect(range == -128...127 && count == 1...3)
    }

    @Test func referToThemselvesByName() throws {
        let folder = Schema.of(Folder.self)
        #expect(folder.fields.map(\.name) == ["name", "parent", "children"])
        guard case .array(let child, _) = folder.fields[2].schema.shape, case .reference(let name) = child.shape else {
            return #expect(Bool(false), "The children are not an array of folders.")
        }
        #expect(name == "Folder")
        guard case .array(let inner, _) = folder.fields[1].schema.fields[0].schema.shape, case .reference("Folder") = inner.shape else {
            return #expect(Bool(false), "The parent's folders are not an array of folders.")
        }
    }

    @Test func haveExamplesThatFollowThem() throws {
        #expect(schema.faults(in: schema.example) == [])
        #expect(throws: Never.self) { try WireJSON.decode(Person.self, from: schema.example) }
    }

    private func shape(_ name: String) throws -> Schema.Shape {
        try #require(schema.fields.first { $0.name == name }).schema.shape
    }
}

@Suite struct DictionariesInTypes {
    private struct Counts: Codable, Equatable {
        var bySource: [String: Int]
    }

    @Test func theirNamesAreDataAndNotRenamed() throws {
        let counts = Counts(bySource: ["rssFeed \"x\"": 1])
        let bytes = try WireJSON.encode(counts)
        #expect(String(decoding: bytes, as: UTF8.self) == #"{"by_source":{"rssFeed \"x\"":1}}"#)
        #expect(try WireJSON.decode(Counts.self, from: bytes) == counts)
    }

    @Test func everyValueIsValidated() throws {
        let schema = Schema.of(Counts.self)
        #expect(schema.faults(in: ["by_source": ["a": 1, "bC": 2]]).isEmpty)
        #expect(schema.faults(in: ["by_source": ["a": "x"]]).map(\.pointer) == ["/by_source/a"])
    }
}
