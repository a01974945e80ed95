using System.ComponentModel;
using System.Reflection;
using Xunit.Sdk;

namespace VerifyXunit;

/// <summary>Tells Verify which test is running. The test project's build puts it on the assembly.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class UseVerifyAttribute : BeforeAfterTestAttribute
{
    private static readonly AsyncLocal<MethodInfo?> Running = new();

    /// <inheritdoc/>
    public override void Before(MethodInfo methodUnderTest) => Running.Value = methodUnderTest;

    /// <inheritdoc/>
    public override void After(MethodInfo methodUnderTest) => Running.Value = null;

    /// <summary>The test method that is running.</summary>
    /// <exception cref="InvalidOperationException">None is, as far as xunit told.</exception>
    public static MethodInfo GetMethod() => Running.Value
        ?? throw new InvalidOperationException(
            "Could not resolve the current test info: this is no [Fact] or [Theory] "
            + "of an assembly with [UseVerify].");
}
