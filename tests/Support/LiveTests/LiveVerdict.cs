namespace ShmCheck.LiveTests;

/// <summary>What becomes of a live test on a machine.</summary>
public abstract record LiveVerdict
{
    private LiveVerdict()
    {
    }

    /// <summary>Decides.</summary>
    /// <param name="needs">What the test needs.</param>
    /// <param name="lack">What is missing for a need, or null.</param>
    /// <param name="required">Whether a test that cannot run is to fail.</param>
    public static LiveVerdict Of(
        IEnumerable<LiveNeed> needs, Func<LiveNeed, string?> lack, bool required)
    {
        List<string> missing =
        [
            .. from need in needs
               let clause = lack(need)
               where clause is not null
               select $"needs {need}, but {clause}",
        ];
        if (missing.Count == 0)
        {
            return new Run();
        }

        string reason = string.Join("; ", missing);
        return required ? new Fail(reason) : new Skip(reason);
    }

    /// <summary>It runs.</summary>
    public sealed record Run : LiveVerdict;

    /// <summary>It is skipped.</summary>
    /// <param name="Reason">Why.</param>
    public sealed record Skip(string Reason) : LiveVerdict;

    /// <summary>It fails without having run.</summary>
    /// <param name="Reason">Why.</param>
    public sealed record Fail(string Reason) : LiveVerdict;
}
