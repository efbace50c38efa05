import MartletContract
import MartletCore
import Testing

@Suite struct ValidatingDocuments {
    private static let good: [String: JSON] = [
        "id": "019bc05e-9a40-7c3d-8e11-5f0a4b7d2291", "email": "ada@example.org", "colour": "red", "is_active": true,
        "height": .number("1.7"), "age": 36,
        "home": ["street": "Main"], "scores": [1, 2],
    ]

    @Test func findsNothingWrongWithWhatFollowsTheRules() {
        #expect(faults() == [])
        #expect(
            faults(["note": .null, "nick_name": "Ada", "extra": [1, "x", .null], "others": [], "born_at": "1815-12-10T00:00:00Z"]) == [])
        #expect(faults(["age": .number("3.6e1"), "height": 2]) == [])
    }

    @Test func namesEveryFaultAtOnceWithItsPlace() {
        let found = faults([
            "id": "x", "email": "nobody", "nick_name": "far too long a name", "colour": "grey", "is_active": 1, "height": "tall",
            "age": 256,
            "born_at": "2026-02-30T00:00:00Z", "home": ["street": .null, "town": "X"], "others": [["street": "A"], [:], "B"],
            "scores": [1, 200, .number("1.5")],
            "note": "", "a/b~c": 1,
        ])
        #expect(
            found == [
                "/id invalid_format", "/email invalid_email", "/nick_name too_long", "/colour not_a_choice", "/is_active wrong_type",
                "/height wrong_type",
                "/age too_large", "/born_at invalid_format", "/home/street wrong_type", "/home/town unknown_field",
                "/others/1/street missing",
                "/others/2 wrong_type", "/scores/1 too_large", "/scores/2 wrong_type", "/note empty", "/a~1b~0c unknown_field",
            ])
    }

    @Test func namesEveryFieldThatIsMissing() {
        let found = Schema.of(Person.self).faults(in: [:]).map { "\($0.pointer) \($0.code)" }
        #expect(found == ["id", "email", "colour", "is_active", "height", "age", "home", "scores"].map { "/\($0) missing" })
    }

    @Test(
        arguments: [
            ("scores", [] as JSON, "/scores too_few"), ("scores", [1, 2, 3, 4], "/scores too_many"),
            ("scores", ["x": 1], "/scores wrong_type"),
            ("home", [], "/home wrong_type"), ("home", .null, "/home wrong_type"), ("age", -1, "/age too_small"),
            ("age", .number("1e400"), "/age out_of_range"),
            ("age", .number("99999999999999999999"), "/age out_of_range"), ("height", .number("1e400"), "/height out_of_range"),
            ("email", "ada@example.org\0", "/email nul_character"), ("email", "a@", "/email too_short"),
            ("nick_name", "   ", "/nick_name empty"),
            ("nick_name", "a\u{7}", "/nick_name control_character"), ("nick_name", .null, "/nick_name wrong_type"),
            ("id", 7, "/id wrong_type"),
            ("others", [[]], "/others/0 wrong_type"), ("note", 1, "/note wrong_type"),
        ] as [(String, JSON, String)])
    func namesTheBrokenRule(_ field: String, _ value: JSON, _ fault: String) {
        let found = faults([field: value])
        #expect(found == [fault])
    }

    @Test func countsTextInScalars() {
        #expect(faults(["nick_name": .string(String(repeating: "😀", count: 10))]) == [])
        #expect(faults(["nick_name": .string(String(repeating: "e\u{301}", count: 6))]) == ["/nick_name too_long"])
    }

    @Test(arguments: [JSON.null, true, 1, "x", []])
    func wantsAnObjectWhereThereIsOne(_ document: JSON) {
        #expect(Schema.of(Person.self).faults(in: document).map(\.code) == ["wrong_type"])
    }

    @Test func stopsCountingAtAHundredFaults() {
        let unknown = JSON.object((0..<5_000).map { JSON.Member("field\($0)", 1) })
        #expect(Schema.of(Person.self).faults(in: unknown).count <= 100)
        #expect(faults(["others": .array(Array(repeating: 1, count: 5_000))]).count == 100)
    }

    @Test func putsThePlaceBeforeThePointer() {
        #expect(Schema.of(Address.self).faults(in: ["street": 1], at: "/body").map(\.pointer) == ["/body/street"])
    }

    private func faults(_ changes: KeyValuePairs<String, JSON> = [:]) -> [String] {
        var members = Self.good
        for (name, value) in changes { members[name] = value }
        return Schema.of(Person.self).faults(in: .object(members.map { JSON.Member($0.key, $0.value) })).map { "\($0.pointer) \($0.code)" }
    }
}

@Suite struct ChangesOfAField {
    struct Update: Codable, Equatable {
        var title: Change<String>
        var count: Change<Int>
    }

    @Test(arguments: [
        (#"{}"#, Update(title: .unchanged, count: .unchanged)), (#"{"title":null}"#, Update(title: .cleared, count: .unchanged)),
        (#"{"title":"x","count":null}"#, Update(title: .set("x"), count: .cleared)),
        (#"{"title":"","count":0}"#, Update(title: .set(""), count: .set(0))),
    ])
    func areAbsentOrNullOrAValue(_ text: String, _ update: Update) throws {
        #expect(try WireJSON.decode(Update.self, from: text.utf8) == update)
        #expect(String(decoding: try WireJSON.encode(update), as: UTF8.self) == text)
    }

    @Test func areAppliedToWhatWas() {
        #expect(Change.unchanged.applied(to: 1) == 1)
        #expect(Change<Int>.cleared.applied(to: 1) == nil)
        #expect(Change.set(2).applied(to: nil) == 2)
    }
}
