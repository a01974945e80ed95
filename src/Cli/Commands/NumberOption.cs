using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace ShmCheck.Cli.Commands;

/// <summary>Options that are numbers, with errors that say which numbers.</summary>
internal static class NumberOption
{
    /// <summary>An option that need not be given.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">What it does.</param>
    /// <param name="least">The least number that it can be.</param>
    /// <param name="most">The greatest number that it can be.</param>
    public static Option<T?> Optional<T>(string name, string description, T least, T most)
        where T : struct, INumber<T> =>
        new(name)
        {
            Description = description,
            CustomParser = result =>
            {
                string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
                if (T.TryParse(
                    text, NumberStyles.None, CultureInfo.InvariantCulture, out T number)
                    && number >= least && number <= most)
                {
                    return number;
                }

                result.AddError(
                    $"{name}: expected a number from {least} to {most}, not '{text}'");
                return null;
            },
        };
}
