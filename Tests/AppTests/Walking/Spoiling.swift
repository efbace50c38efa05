import MartletContract

/// A value that breaks its rule in one place.
struct Spoiled {
    let value: JSON
    let fault: ExpectedFault
}

extension Schema {
    /// Every way to break this rule that its declaration tells of, at a place given as a JSON Pointer or parameter name.
    func spoiled(at pointer: String) -> [Spoiled] {
        spoiledType(at: pointer) + spoiledContent(at: pointer)
    }

    private func spoiledType(at pointer: String) -> [Spoiled] {
        let stranger: JSON
        switch shape {
        case .anything: return []
        case .array, .object, .map, .reference, .oneOf: stranger = 7
        default: stranger = [[]]
        }
        return (isNullable ? [stranger] : [stranger, .null]).map {
            Spoiled(value: $0, fault: ExpectedFault(pointer: pointer, code: "wrong_type"))
        }
    }

    private func spoiledContent(at pointer: String) -> [Spoiled] {
        switch shape {
        case .string(let rule): rule.spoiled(at: pointer)
        case .integer(let range): Self.spoiled(range, at: pointer)
        case .array(let element, let count): element.spoiledElements(count, at: pointer)
        case .object(let rule): Schema.spoiled(rule.fields, at: pointer)
        case .number, .boolean, .map, .reference, .oneOf, .anything: []
        }
    }

    private static func spoiled(_ range: ClosedRange<Int>, at pointer: String) -> [Spoiled] {
        var all: [Spoiled] = []
        if range.lowerBound > .min {
            all.append(Spoiled(value: .number(String(range.lowerBound - 1)), fault: ExpectedFault(pointer: pointer, code: "too_small")))
        }
        if range.upperBound < .max {
            all.append(Spoiled(value: .number(String(range.upperBound + 1)), fault: ExpectedFault(pointer: pointer, code: "too_large")))
        }
        return all
    }

    private func spoiledElements(_ count: ClosedRange<Int>, at pointer: String) -> [Spoiled] {
        var all = spoiled(at: pointer + "/0").map { Spoiled(value: .array([$0.value]), fault: $0.fault) }
        if count.upperBound < .max {
            let many = JSON.array(Array(repeating: example, count: count.upperBound + 1))
            all.append(Spoiled(value: many, fault: ExpectedFault(pointer: pointer, code: "too_many")))
        }
        return all
    }

    /// An object with an unknown field, without each required field, and with each field spoiled.
    static func spoiled(_ fields: [Field], at pointer: String = "") -> [Spoiled] {
        let members = fields.map { JSON.Member($0.name, $0.schema.example) }
        let unknown = Spoiled(
            value: .object(members + [.init("no_such_field", 1)]),
            fault: ExpectedFault(pointer: pointer + "/no_such_field", code: "unknown_field"))
        return [unknown]
            + fields.filter(\.isRequired).map { field in
                Spoiled(
                    value: .object(members.filter { $0.name != field.name }),
                    fault: ExpectedFault(pointer: "\(pointer)/\(field.name)", code: "missing"))
            }
            + fields.flatMap { field in
                field.schema.spoiled(at: "\(pointer)/\(field.name)").map { spoiled in
                    Spoiled(
                        value: .object(members.map { $0.name == field.name ? .init($0.name, spoiled.value) : $0 }), fault: spoiled.fault)
                }
            }
    }
}

extension Schema.StringRule {
    fileprivate func spoiled(at pointer: String) -> [Spoiled] {
        var all = [Spoiled(value: .string("NUL \u{0} inside"), fault: ExpectedFault(pointer: pointer, code: "nul_character"))]
        if !choices.isEmpty { all.append(Spoiled(value: "no such choice", fault: ExpectedFault(pointer: pointer, code: "not_a_choice"))) }
        if length.upperBound < .max {
            let long = String(repeating: "a", count: length.upperBound + 1)
            all.append(Spoiled(value: .string(long), fault: ExpectedFault(pointer: pointer, code: "too_long")))
        }
        return all
    }
}

extension JSON {
    /// As the text of a query parameter; `nil` for what a query cannot say.
    var parameter: String? {
        switch self {
        case .string(let text), .number(let text): text
        case .bool(let value): String(value)
        case .null, .array, .object: nil
        }
    }
}
