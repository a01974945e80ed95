using System.Collections.Immutable;
using System.Globalization;

namespace ShmCheck.Harness.Ledgers;

/// <summary>The wrong value of a figure as a function of the right one. Closed: a defect that is
/// none of these is not known well enough to be reconciled.</summary>
public abstract record WrongValue
{
    private WrongValue()
    {
    }

    /// <summary>The wrong value.</summary>
    /// <param name="right">The right value; signed figures are sign-extended.</param>
    public abstract ulong Of(ulong right);

    /// <summary>Whether it is what was seen.</summary>
    /// <param name="right">The right value.</param>
    /// <param name="seen">The value that was seen, another one.</param>
    public virtual bool Explains(ulong right, ulong seen) => Of(right) == seen;

    /// <summary>Any value: the figure says nothing on this system.</summary>
    public sealed record Anything : WrongValue
    {
        /// <inheritdoc/>
        public override ulong Of(ulong right) => right;

        /// <inheritdoc/>
        public override bool Explains(ulong right, ulong seen) => true;

        /// <inheritdoc/>
        public override string ToString() => "any";
    }

    /// <summary>Too high by a factor.</summary>
    /// <param name="Factor">The factor, above 1.</param>
    public sealed record Times(ulong Factor) : WrongValue
    {
        /// <inheritdoc/>
        public override ulong Of(ulong right) => unchecked(right * Factor);

        /// <inheritdoc/>
        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"times {Factor}");
    }

    /// <summary>Off by a number.</summary>
    /// <param name="Number">What is added; not 0.</param>
    public sealed record Plus(long Number) : WrongValue
    {
        /// <inheritdoc/>
        public override ulong Of(ulong right) => unchecked(right + (ulong)Number);

        /// <inheritdoc/>
        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"plus {Number}");
    }

    /// <summary>Always the same.</summary>
    /// <param name="Number">The value shown.</param>
    public sealed record Constant(ulong Number) : WrongValue
    {
        /// <inheritdoc/>
        public override ulong Of(ulong right) => Number;

        /// <inheritdoc/>
        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"is {Number}");
    }

    /// <summary>What the system shows as another figure of the same subject.</summary>
    /// <param name="Name">Name of the other one.</param>
    public sealed record Another(string Name) : WrongValue
    {
        /// <inheritdoc/>
        public override ulong Of(ulong right) => right;

        /// <inheritdoc/>
        public override string ToString() => $"is {Name}";
    }

    /// <summary>Higher than the right one.</summary>
    public sealed record Higher : WrongValue
    {
        /// <inheritdoc/>
        public override ulong Of(ulong right) => right;

        /// <inheritdoc/>
        public override bool Explains(ulong right, ulong seen) => seen > right;

        /// <inheritdoc/>
        public override string ToString() => "higher";
    }

    /// <summary>What it was before: the calls that some rules decide do not change it.</summary>
    /// <param name="Rules">The rules.</param>
    public sealed record Stays(ImmutableArray<string> Rules) : WrongValue
    {
        /// <inheritdoc/>
        public override ulong Of(ulong right) => right;

        /// <inheritdoc/>
        public override string ToString() => $"stays {string.Join(", ", Rules)}";
    }

    /// <summary>How many calls of the namespace a rule has decided.</summary>
    /// <param name="Rule">The rule.</param>
    public sealed record Counts(string Rule) : WrongValue
    {
        /// <inheritdoc/>
        public override ulong Of(ulong right) => right;

        /// <inheritdoc/>
        public override string ToString() => $"counts {Rule}";
    }
}
