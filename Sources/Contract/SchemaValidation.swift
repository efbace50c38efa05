public import MartletCore

extension Schema {
    /// No answer lists more faults than this; a hostile body cannot make one.
    static let maximumFaults = 100

    /// Every fault of a value, each with the place where it is.
    public func faults(in json: JSON, at pointer: String = "") -> [Fault] {
        var faults: [Fault] = []
        validate(json, at: pointer, into: &faults)
        return faults
    }

    func validate(_ json: JSON, at pointer: String, into faults: inout [Fault]) {
        guard faults.count < Self.maximumFaults else { return }
        if json == .null, isNullable { return }
        let before = faults.count
        validateShape(json, at: pointer, into: &faults)
        guard faults.count == before, var fault = check?(json) else { return }
        fault.pointer = pointer
        faults.append(fault)
    }

    private func validateShape(_ json: JSON, at pointer: String, into faults: inout [Fault]) {
        switch (shape, json) {
        case (.anything, _), (.reference, _), (.boolean, .bool), (.oneOf, .object): break
        case (.string(let rule), .string(let text)): rule.validate(text, at: pointer, into: &faults)
        case (.integer(let range), .number): validateInteger(json, range, at: pointer, into: &faults)
        case (.number, .number):
            if json.double == nil { faults.append(Fault(pointer: pointer, code: "out_of_range", message: "This number is too large.")) }
        case (.array(let schema, let count), .array(let elements)): validate(elements, schema, count, at: pointer, into: &faults)
        case (.object(let rule), .object(let members)): rule.validate(members, at: pointer, into: &faults)
        case (.map(let schema), .object(let members)):
            for member in members { schema.validate(member.value, at: pointer + "/" + JSONPointer.escape(member.name), into: &faults) }
        default: faults.append(Fault(pointer: pointer, code: "wrong_type", message: "This must be \(inWords), not \(json.kindInWords)."))
        }
    }

    private func validateInteger(_ json: JSON, _ range: ClosedRange<Int>, at pointer: String, into faults: inout [Fault]) {
        guard let value = json.integer else {
            let isHuge = json.double.map { $0 == $0.rounded() } ?? true
            let (code, rule) =
                isHuge ? ("out_of_range", "from \(range.lowerBound) to \(range.upperBound)") : ("wrong_type", "a whole number")
            return faults.append(Fault(pointer: pointer, code: code, message: "This must be \(rule)."))
        }
        if value < range.lowerBound {
            faults.append(Fault(pointer: pointer, code: "too_small", message: "This must be at least \(range.lowerBound)."))
        } else if value > range.upperBound {
            faults.append(Fault(pointer: pointer, code: "too_large", message: "This must be at most \(range.upperBound)."))
        }
    }

    private func validate(_ elements: [JSON], _ schema: Schema, _ count: ClosedRange<Int>, at pointer: String, into faults: inout [Fault]) {
        if elements.count < count.lowerBound {
            faults.append(Fault(pointer: pointer, code: "too_few", message: "This must have at least \(count.lowerBound) elements."))
        } else if elements.count > count.upperBound {
            return faults.append(Fault(pointer: pointer, code: "too_many", message: "This must have at most \(count.upperBound) elements."))
        }
        for (index, element) in elements.enumerated() where faults.count < Self.maximumFaults {
            schema.validate(element, at: "\(pointer)/\(index)", into: &faults)
        }
    }

    var inWords: String {
        switch shape {
        case .string: "a string"
        case .integer: "a whole number"
        case .number: "a number"
        case .boolean: "a boolean"
        case .array: "an array"
        case .object, .map, .reference, .oneOf: "an object"
        case .anything: "a value"
        }
    }
}

extension Schema.StringRule {
    func validate(_ text: String, at pointer: String, into faults: inout [Fault]) {
        if let fault = fault(text) { faults.append(Fault(pointer: pointer, code: fault.code, message: fault.message)) }
    }

    private func fault(_ text: String) -> Fault? {
        if text.utf8.contains(0) { return Fault(code: "nul_character", message: "This must not contain a NUL character.") }
        if !choices.isEmpty, !choices.contains(text) {
            return Fault(code: "not_a_choice", message: "This must be one of: \(choices.joined(separator: ", ")).")
        }
        if let fault = lengthFault(text) { return fault }
        if format == .dateTime, Timestamp.date(text) == nil {
            return Fault(code: "invalid_format", message: "This must be a time as in RFC 3339, such as 2026-01-31T09:30:00Z.")
        }
        return nil
    }

    private func lengthFault(_ text: String) -> Fault? {
        guard length != 0...Int.max else { return nil }
        let count = text.unicodeScalars.count
        if count < length.lowerBound {
            return count == 0 && length.lowerBound == 1
                ? Fault(code: "empty", message: "This must not be empty.")
                : Fault(code: "too_short", message: "This must have at least \(length.lowerBound) characters.")
        }
        return count > length.upperBound ? Fault(code: "too_long", message: "This must have at most \(length.upperBound) characters.") : nil
    }
}

extension Schema.ObjectRule {
    func validate(_ members: [JSON.Member], at pointer: String, into faults: inout [Fault]) {
        for field in fields {
            guard let member = members.first(where: { $0.name == field.name }) else {
                if field.isRequired {
                    faults.append(Fault(pointer: pointer + "/" + field.name, code: "missing", message: "This field is required."))
                }
                continue
            }
            field.schema.validate(member.value, at: pointer + "/" + field.name, into: &faults)
        }
        for member in members where !fields.contains(where: { $0.name == member.name }) && faults.count < Schema.maximumFaults {
            faults.append(
                Fault(pointer: pointer + "/" + JSONPointer.escape(member.name), code: "unknown_field", message: "There is no such field."))
        }
    }
}

enum JSONPointer {
    /// Escapes a name for a JSON Pointer (RFC 6901 §3); overlong names are cut, as they are only echoed.
    static func escape(_ name: String) -> String {
        String(name.prefix(100)).replacing("~", with: "~0").replacing("/", with: "~1")
    }
}
