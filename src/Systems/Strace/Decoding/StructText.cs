namespace ShmCheck.Systems.Strace;

/// <summary>The text of a structure, <c>{name=value, ...}</c>, read by the names of its fields.
/// </summary>
internal readonly ref struct StructText
{
    private readonly ReadOnlySpan<char> _inside;

    /// <param name="text">The structure with its braces; what follows the closing one (comment,
    /// new value) is left out. Any other text is a structure without fields.</param>
    public StructText(ReadOnlySpan<char> text)
    {
        int end = text.IsEmpty || text[0] != '{' ? -1 : Nesting.SkipBrackets(text, 0);
        IsStruct = end > 0;
        _inside = IsStruct ? text[1..(end - 1)] : default;
    }

    /// <summary>Whether there is a structure at all.</summary>
    public bool IsStruct { get; }

    /// <summary>The text of a field; empty when it has none of this name.</summary>
    public ReadOnlySpan<char> Field(string name)
    {
        int start = 0;
        while (start < _inside.Length)
        {
            int end = Nesting.NextSeparator(_inside, start);
            if (end < 0)
            {
                return default;
            }

            ReadOnlySpan<char> field = _inside[start..end].TrimStart(' ');
            if (field.StartsWith(name) && field.Length > name.Length && field[name.Length] == '=')
            {
                return field[(name.Length + 1)..];
            }

            start = end + 1;
        }

        return default;
    }

    /// <summary>A field as text, or null.</summary>
    public string? Text(string name)
    {
        ReadOnlySpan<char> field = Field(name);
        return field.IsEmpty ? null : field.ToString();
    }

    /// <summary>A field as a number, or null.</summary>
    public ulong? Number(string name) =>
        ConstantText.TryNumber(Field(name), out ulong value) ? value : null;

    /// <summary>A field as a number of 32 bits, or null.</summary>
    public int? Int32(string name) =>
        Number(name) is ulong value ? unchecked((int)value) : null;
}
