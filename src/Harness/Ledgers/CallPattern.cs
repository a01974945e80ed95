using System.Globalization;
using System.Text.RegularExpressions;
using ShmCheck.Abi;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Ledgers;

/// <summary>Calls as traces write them, without the process that makes them; <c>*</c> stands for
/// any text.</summary>
/// <param name="Text">For instance <c>madvise(*, MADV_PAGEOUT)</c>.</param>
public sealed partial record CallPattern(string Text)
{
    /// <summary>In a call that is made instead: the address that the system has returned, or NULL
    /// where it has failed.</summary>
    public const string Result = "RESULT";

    private readonly Regex _matcher = new(
        $"^{Regex.Escape(Text).Replace(@"\*", "(.*?)", StringComparison.Ordinal)}$",
        RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);

    /// <summary>How many texts are left open.</summary>
    public int Stars => Text.Count(c => c == '*');

    /// <summary>Whether this can be a call that is made instead of another: the n-th <c>*</c> or
    /// RESULT of this one stands at the place of its n-th <c>*</c>.</summary>
    public bool CanStandFor(CallPattern other) => Places().Matches(Text)
        .Select((found, at) => found.Value == Result || at < other.Stars).All(fits => fits);

    /// <summary>Whether a call is one of these.</summary>
    public bool Matches(Call call) => call is ProcessCall made && _matcher.IsMatch(TextOf(made));

    /// <summary>The call that a pattern describes with the texts that a call has here; null when
    /// it is none of these.</summary>
    /// <param name="call">The call.</param>
    /// <param name="other">The pattern, which can stand for this one.</param>
    /// <param name="returned">What the system has returned; none where that is not known.</param>
    public Call? Instead(Call call, CallPattern other, Reply? returned)
    {
        if (call is not ProcessCall made || _matcher.Match(TextOf(made)) is not
            { Success: true } match || (other.Text.Contains(Result) && returned is null))
        {
            return null;
        }

        string address = returned is Reply.Value value ? $"0x{value.Result:x}" : "NULL";
        int place = 0;
        return Parse(made, Places().Replace(other.Text, found =>
        {
            place++;
            return found.Value == Result ? address : match.Groups[place].Value;
        }));
    }

    [GeneratedRegex(@"\*|RESULT")]
    private static partial Regex Places();

    /// <inheritdoc/>
    public bool Equals(CallPattern? other) => other?.Text == Text;

    /// <inheritdoc/>
    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static string TextOf(ProcessCall call) =>
        TracePrinter.Print(call)[(call.Caller.ToString().Length + 1)..];

    /// <summary>A call of the same process that binds the same handle.</summary>
    private static Call Parse(ProcessCall call, string text)
    {
        var line = new LineCursor(text, 1, string.Create(
            CultureInfo.InvariantCulture, $"{call.Caller} {text}"));
        Call parsed = CallParser.Parse(line) with { Injection = call.Injection };
        if (CallPrinter.ResultOf(call) is { } handle)
        {
            CallParser.TryBindResult(parsed, new LineCursor(text, 1, handle), out parsed);
        }

        return parsed;
    }
}
