using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using ShmCheck.Abi.Recordings;

namespace ShmCheck.Systems.Strace;

/// <summary>Where one argument stands in the text of all.</summary>
internal readonly record struct ArgumentSpan(int Start, int Length);

/// <summary>Room for the arguments of a call; no call has more.</summary>
[InlineArray(Length)]
internal struct ArgumentSpans
{
    public const int Length = 12;

    private ArgumentSpan _first;
}

/// <summary>Reads arguments one by one. What cannot be read is remembered, the first only, and
/// reads as zero.</summary>
internal ref struct ArgumentReader
{
    private readonly ReadOnlySpan<char> _text;
    private ArgumentSpans _arguments;

    public ArgumentReader(ReadOnlySpan<char> text)
    {
        _text = text;
        int start = 0;
        while (start < text.Length && Expected is null)
        {
            int end = Nesting.NextSeparator(text, start);
            if (end < 0 || Count == ArgumentSpans.Length)
            {
                Fail(start, "balanced brackets, and no more arguments than a call has");
                return;
            }

            Add(start, end);
            start = end + 1;
        }
    }

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>What was expected where reading failed; null as long as it did not.</summary>
    public string? Expected { get; private set; }

    /// <summary>Index in the text of what could not be read.</summary>
    public int FailedAt { get; private set; }

    /// <summary>The text of an argument; empty when there is none.</summary>
    public readonly ReadOnlySpan<char> Text(int index) => index < Count
        ? _text.Slice(_arguments[index].Start, _arguments[index].Length) : default;

    /// <summary>Whether there is such an argument.</summary>
    public readonly bool Has(int index) => index < Count;

    /// <summary>Index of the argument that is printed as <c>name=value</c>, or -1.</summary>
    public readonly int Find(string name)
    {
        for (int i = 0; i < Count; i++)
        {
            int start = _arguments[i].Start - name.Length - 1;
            if (start >= 0 && _text[start..].StartsWith(name)
                && _text[start + name.Length] == '='
                && (start == 0 || _text[start - 1] is ' ' or ','))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>A number, or an address.</summary>
    public ulong Number(int index)
    {
        if (!ConstantText.TryNumber(Text(index), out ulong value))
        {
            Miss(index, "a number");
        }

        return value;
    }

    /// <summary>A number of 32 bits; the kernel ignores the others.</summary>
    public int Int32(int index) => unchecked((int)Number(index));

    /// <summary>A word of flags or a constant; unknown names are kept.</summary>
    public FlagWord Word(int index, ConstantTable table)
    {
        if (!ConstantText.TryRead(Text(index), table, out FlagWord word))
        {
            Miss(index, "a constant, or flags");
        }

        return word;
    }

    /// <summary>A word of flags or a constant, of which every name must be known.</summary>
    public int KnownWord(int index, ConstantTable table)
    {
        FlagWord word = Word(index, table);
        if (word.UnknownNames is not null)
        {
            Miss(index, $"known names, not {word.UnknownNames}");
        }

        return unchecked((int)word.Bits);
    }

    /// <summary>A string; null when its address is printed.</summary>
    public QuotedText? Quoted(int index)
    {
        ReadOnlySpan<char> text = Text(index);
        if (QuotedTextReader.TryRead(text, out QuotedText value))
        {
            return value;
        }

        if (!ConstantText.TryNumber(text, out _))
        {
            Miss(index, "a string, or its address");
        }

        return null;
    }

    /// <summary>A descriptor.</summary>
    public FileDescriptor Descriptor(int index)
    {
        ReadOnlySpan<char> text = Text(index);
        int open = DecorationOf(text);
        ReadOnlySpan<char> number = open < 0 ? text : text[..open];
        if (!ConstantText.TryRead(number, ConstantTable.Open, out FlagWord word)
            || word.UnknownNames is not null)
        {
            Miss(index, "a file descriptor");
        }

        int descriptor = unchecked((int)word.Bits);
        int close = open < 0 ? -1 : Nesting.SkipDecoration(text, open);
        if (close < 0)
        {
            return new FileDescriptor(descriptor);
        }

        string path = QuotedTextReader.Unescape(text[(open + 1)..(close - 1)]);
        return new FileDescriptor(descriptor, path, text[close..].StartsWith("(deleted)"));
    }

    /// <summary>A structure.</summary>
    public readonly StructText Struct(int index) => new(Text(index));

    /// <summary>A number that a structure must have.</summary>
    public ulong Field(in StructText structure, string name, int index)
    {
        if (structure.Number(name) is ulong value)
        {
            return value;
        }

        Miss(index, $"a field {name} with a number");
        return 0;
    }

    /// <summary>The texts of the arguments from an index on.</summary>
    public readonly ImmutableArray<string> Rest(int from)
    {
        ImmutableArray<string>.Builder rest = ImmutableArray.CreateBuilder<string>();
        for (int i = from; i < Count; i++)
        {
            rest.Add(Text(i).ToString());
        }

        return rest.ToImmutable();
    }

    /// <summary>Remembers that an argument is not what it should be.</summary>
    public void Miss(int index, string expected)
    {
        int at = index < Count ? _arguments[index].Start : _text.Length;
        Fail(at, index < Count ? expected : $"argument {index + 1}: {expected}");
    }

    private void Fail(int at, string expected)
    {
        if (Expected is null)
        {
            (FailedAt, Expected) = (at, expected);
        }
    }

    /// <summary>Adds an argument without the blanks around it and without its name.</summary>
    private void Add(int start, int end)
    {
        while (start < end && _text[start] == ' ')
        {
            start++;
        }

        while (end > start && _text[end - 1] == ' ')
        {
            end--;
        }

        int name = start;
        while (name < end && (char.IsAsciiLetterLower(_text[name]) || _text[name] == '_'
            || (name > start && char.IsAsciiDigit(_text[name]))))
        {
            name++;
        }

        bool isNamed = name > start && name + 1 < end && _text[name] == '='
            && _text[name + 1] is not ('=' or '>');
        start = isNamed ? name + 1 : start;
        bool isLast = end >= _text.TrimEnd(' ').Length;
        if (start < end || !isLast)
        {
            _arguments[Count++] = new ArgumentSpan(start, end - start);
        }
    }

    private static int DecorationOf(ReadOnlySpan<char> text)
    {
        int open = text.IndexOf('<');
        return open > 0 && open + 1 < text.Length && text[open + 1] != '<' ? open : -1;
    }
}
