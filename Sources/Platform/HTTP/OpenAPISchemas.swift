import MartletContract

/// The named schemas of an OpenAPI document, gathered while it is written.
struct Components: Sendable {
    private var named: [String: JSON] = [:]

    var sorted: [JSON.Member] { named.sorted { $0.key < $1.key }.map { JSON.Member($0.key, $0.value) } }

    mutating func add(_ schema: Schema) {
        _ = reference(schema)
    }

    /// A schema as it stands in the document: objects by reference, all else in place.
    mutating func reference(_ schema: Schema) -> JSON {
        guard case .object(let rule) = schema.shape else { return inline(schema) }
        if named[rule.name] == nil {
            named[rule.name] = .object([])
            named[rule.name] = object(rule.fields)
        }
        return nullable(["$ref": .string("#/components/schemas/" + rule.name)], schema)
    }

    mutating func object(_ fields: [Schema.Field]) -> JSON {
        let properties = fields.map { JSON.Member($0.name, reference($0.schema)) }
        let required = fields.filter(\.isRequired).map { JSON.string($0.name) }
        var members: [JSON.Member] = [.init("type", "object"), .init("properties", .object(properties))]
        if !required.isEmpty { members.append(.init("required", .array(required))) }
        return .object(members + [.init("additionalProperties", false)])
    }

    private mutating func inline(_ schema: Schema) -> JSON {
        var members = shape(schema.shape)
        if schema.isNullable, let index = members.firstIndex(where: { $0.name == "type" }) {
            members[index].value = [members[index].value, "null"]
        }
        if let summary = schema.summary { members.append(.init("description", .string(summary))) }
        if let value = schema.defaultValue { members.append(.init("default", value)) }
        if let example = schema.declaredExample { members.append(.init("examples", [example])) }
        return .object(members)
    }

    private mutating func shape(_ shape: Schema.Shape) -> [JSON.Member] {
        switch shape {
        case .string(let rule): rule.members
        case .integer(let range): [.init("type", "integer")] + bounds(range, "minimum", "maximum", open: .min ... .max)
        case .number: [.init("type", "number")]
        case .boolean: [.init("type", "boolean")]
        case .array(let element, let count):
            [.init("type", "array"), .init("items", reference(element))] + bounds(count, "minItems", "maxItems", open: 0 ... .max)
        case .object(let rule): [.init("$ref", .string("#/components/schemas/" + rule.name))]
        case .map(let value): [.init("type", "object"), .init("additionalProperties", reference(value))]
        case .reference(let name): [.init("$ref", .string("#/components/schemas/" + name))]
        case .oneOf(let schemas): [.init("oneOf", .array(schemas.map { reference($0) }))]
        case .anything: []
        }
    }

    private func nullable(_ reference: JSON, _ schema: Schema) -> JSON {
        schema.isNullable ? ["anyOf": [reference, ["type": "null"]]] : reference
    }
}

extension Schema.StringRule {
    fileprivate var members: [JSON.Member] {
        var members: [JSON.Member] = [.init("type", "string")]
        if let format { members.append(.init("format", .string(format.rawValue))) }
        members += bounds(length, "minLength", "maxLength", open: 0 ... .max)
        if let pattern { members.append(.init("pattern", .string(pattern))) }
        if !choices.isEmpty { members.append(.init("enum", .array(choices.map { .string($0) }))) }
        return members
    }
}

private func bounds(_ range: ClosedRange<Int>, _ minimum: String, _ maximum: String, open: ClosedRange<Int>) -> [JSON.Member] {
    var members: [JSON.Member] = []
    if range.lowerBound != open.lowerBound { members.append(.init(minimum, .number(String(range.lowerBound)))) }
    if range.upperBound != open.upperBound { members.append(.init(maximum, .number(String(range.upperBound)))) }
    return members
}
